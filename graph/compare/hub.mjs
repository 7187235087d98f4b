// A hub with demo data and tokens, on free ports; and its subgraphs, as it serves them.
import { spawn } from 'node:child_process'
import { parse } from 'graphql'
import { ask, ended, eventually } from './ask.mjs'

// The binary of this tree, and servers that `codepix servers --fresh` made.
const { CODEPIX, CODEPIX_TEST_DATABASE_URL, CODEPIX_TEST_KAFKA_BROKERS } = process.env

export const operator = 'compare-operator-token'
export const bank = 'compare-bank-001-token'

const demoAccounts = 4
const contexts = ['balances', 'banking', 'pix-keys', 'transfers']

export async function startHub() {
  const free = '127.0.0.1:0'
  const child = spawn(CODEPIX, ['serve', '--json', '--demo-data'], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: {
      PATH: process.env.PATH,
      DATABASE_URL: CODEPIX_TEST_DATABASE_URL,
      KAFKA_BROKERS: CODEPIX_TEST_KAFKA_BROKERS,
      CODEPIX_KAFKA_REPLICATION: '1',
      CODEPIX_GRPC_ADDRESS: free,
      CODEPIX_HTTP_ADDRESS: free,
      CODEPIX_INTERNAL_ADDRESS: free,
      CODEPIX_BALANCES_ADDRESS: free,
      CODEPIX_TOKENS: `operator=${operator},00000001=${bank}`,
      CODEPIX_LOG: 'error',
    },
  })
  let printed = ''
  child.stdout.on('data', (part) => (printed += part))
  const addresses = await eventually('the hub serves', async () => {
    if (child.exitCode !== null) throw new Error('the hub ended')
    return JSON.parse(printed)
  })
  const url = `http://${addresses.http}/graphql`
  await eventually('the demo data are there', async () => {
    const query = `{
      one: balances(ispb: "00000001") { nodes { total } }
      two: balances(ispb: "00000002") { nodes { total } }
    }`
    const { data } = await ask(url, operator, { query })
    const filled = [...data.one.nodes, ...data.two.nodes].filter(({ total }) => total !== '0.00')
    if (filled.length < demoAccounts) throw new Error(JSON.stringify(data))
  })
  return {
    url,
    subgraph: (name) => `http://${addresses.internal}/subgraphs/${name}`,
    stop: () => ended(child),
  }
}

// What the running subgraphs say of themselves, for a composer.
export async function servedSubgraphs(hub) {
  return Promise.all(
    contexts.map(async (name) => {
      const url = hub.subgraph(name)
      const { data } = await ask(url, operator, { query: '{ _service { sdl } }' })
      return { name, url, typeDefs: parse(data._service.sdl) }
    }),
  )
}
