// The committed subgraphs, in the order of their names.
import { readFileSync, readdirSync } from 'node:fs'
import { parse } from 'graphql'

const folder = new URL('../sdl/', import.meta.url)
const ending = '.graphql'

export function subgraphs() {
  const files = readdirSync(folder).filter((file) => file.endsWith(ending)).sort()
  return files.map((file) => {
    const name = file.slice(0, -ending.length)
    const sdl = readFileSync(new URL(file, folder), 'utf8')
    return { name, sdl, typeDefs: parse(sdl), url: `http://127.0.0.1:8081/subgraphs/${name}` }
  })
}

export function fail(reasons) {
  for (const reason of reasons) console.error(reason)
  process.exit(1)
}
