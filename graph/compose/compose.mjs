// Composes ../sdl/*.graphql and prints the supergraph, or the reasons why there is none.
import { createHash } from 'node:crypto'
import { composeServices } from '@theguild/federation-composition'
import { fail, subgraphs } from './subgraphs.mjs'

const parts = subgraphs()
const composed = composeServices(parts)
if (composed.errors?.length) fail(composed.errors.map((error) => error.message))

// The digests tell a test that needs no Node whether the supergraph is of these subgraphs.
const digests = parts.map(({ name, sdl }) => {
  const digest = createHash('sha256').update(sdl).digest('hex')
  return `# ${name} ${digest}`
})
const header = ['# Made by `cargo xtask graph`; composed of these subgraphs (SHA-256):', ...digests]
process.stdout.write(`${header.join('\n')}\n\n${composed.supergraphSdl.trim()}\n`)
