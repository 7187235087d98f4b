// Stock routers over the subgraphs of a running hub. They pass the caller's authorization on, which
// a router does only where it is told to, and change nothing else.
import { spawn } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { fileURLToPath } from 'node:url'
import { composeServices } from '@apollo/composition'
import { ApolloGateway, RemoteGraphQLDataSource } from '@apollo/gateway'
import { ApolloServer } from '@apollo/server'
import { startStandaloneServer } from '@apollo/server/standalone'
import { ask, ended, eventually } from './ask.mjs'
import { operator, servedSubgraphs } from './hub.mjs'

const here = (file) => fileURLToPath(new URL(file, import.meta.url))

// Name, address and end of each router.
export async function startRouters(hub, folder) {
  const apollo = composeServices(await servedSubgraphs(hub))
  if (apollo.errors?.length) throw new Error(apollo.errors.map(String).join('\n'))
  const committed = readFileSync(new URL('../supergraph.graphql', import.meta.url), 'utf8')
  const guild = committed.replaceAll(
    /http:\/\/[^"]+\/subgraphs\/([a-z-]+)/g,
    (_address, name) => hub.subgraph(name),
  )
  return [
    await hive('Hive Gateway, our supergraph', guild, `${folder}/guild.graphql`),
    await hive('Hive Gateway, composed by Apollo', apollo.supergraphSdl, `${folder}/apollo.graphql`),
    await apolloGateway('Apollo Gateway, composed by Apollo', apollo.supergraphSdl),
  ]
}

async function hive(name, supergraph, file) {
  writeFileSync(file, supergraph)
  const port = await freePort()
  const words = ['--config-path', here('hive.config.mjs'), 'supergraph', file]
  const child = spawn(
    here('node_modules/.bin/hive-gateway'),
    [...words, '--host', '127.0.0.1', '--port', String(port), '--polling', '1h'],
    { stdio: ['ignore', 'ignore', 'inherit'], env: { ...process.env, LOG_LEVEL: 'error' } },
  )
  const url = `http://127.0.0.1:${port}/graphql`
  await eventually(`${name} serves`, () => ask(url, operator, { query: '{ __typename }' }))
  return { name, url, stop: () => ended(child) }
}

class Passing extends RemoteGraphQLDataSource {
  willSendRequest({ request, context }) {
    if (context.authorization) request.http.headers.set('authorization', context.authorization)
  }
}

async function apolloGateway(name, supergraphSdl) {
  const gateway = new ApolloGateway({
    supergraphSdl,
    buildService: ({ url }) => new Passing({ url }),
  })
  const quiet = { debug() {}, info() {}, warn() {}, error() {} }
  const server = new ApolloServer({ gateway, logger: quiet, includeStacktraceInErrorResponses: false })
  const { url } = await startStandaloneServer(server, {
    listen: { host: '127.0.0.1', port: 0 },
    context: async ({ req }) => ({ authorization: req.headers.authorization }),
  })
  return { name, url, stop: () => server.stop() }
}

function freePort() {
  return new Promise((found, failed) => {
    const server = createServer()
    server.once('error', failed)
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address()
      server.close(() => found(port))
    })
  })
}
