// Asks the hub and each stock router every operation, and says where an answer differs.
//
// An answer is the same if its data are, to the order of the fields, and its errors have the same
// `extensions.code` at the same fields. Codes of a router's own (of documents that are no GraphQL or
// do not fit the schema) are the router's affair: there, all must refuse.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ask } from './ask.mjs'
import { bank, operator, startHub } from './hub.mjs'
import { operations } from './operations.mjs'
import { startRouters } from './routers.mjs'
import { setStage } from './stage.mjs'

// The field that an error lies in: what stands before it routers say in ways of their own.
function place({ path }) {
  return (path ?? []).findLast((part) => typeof part === 'string') ?? ''
}

function seen({ data, errors = [] }, ownCodes) {
  if (ownCodes) return JSON.stringify({ data: data ?? null, refused: errors.length > 0 })
  const codes = errors.map((error) => [error.extensions?.code ?? null, place(error)].join(' at '))
  return JSON.stringify({ data: data ?? null, errors: [...new Set(codes)].sort() })
}

// Hive Gateway loses the error of an entity's field that may be null, where it asks several subgraphs
// side by side. Its data are held to ours all the same, and the answers are counted apart.
function isSilent(name, { errors = [] }) {
  return name.startsWith('Hive') && errors.length === 0
}

async function compare(everybody, table) {
  const figures = new Map(everybody.map(({ name }) => [name, { same: 0, silent: 0 }]))
  for (const [turn, { name, query, variables, as, ownCodes, besideOthers }] of table.entries()) {
    const token = as === 'bank' ? bank : operator
    const answers = new Map()
    // Whoever asks first is the one that a command is done for: each in turn.
    for (const [step] of everybody.entries()) {
      const one = everybody[(turn + step) % everybody.length]
      answers.set(one.name, await ask(one.url, token, { query, variables }))
    }
    const [ours, ...others] = everybody
    const wanted = answers.get(ours.name)
    if (process.env.COMPARE_SHOW) console.log(`${name}\n  ${seen(wanted, ownCodes)}`)
    for (const other of others) {
      const answer = answers.get(other.name)
      const figure = figures.get(other.name)
      const isSame = seen(answer, ownCodes) === seen(wanted, ownCodes)
      const isSameData = seen({ data: answer.data }) === seen({ data: wanted.data })
      if (isSame) figure.same += 1
      else if (besideOthers && isSameData && isSilent(other.name, answer)) {
        figure.silent += 1
      } else {
        console.log(`differs: ${name}\n  ours: ${seen(wanted, ownCodes)}`)
        console.log(`  ${other.name}: ${seen(answer, ownCodes)}`)
      }
    }
  }
  return figures
}

const folder = mkdtempSync(join(tmpdir(), 'codepix-compare-'))
const running = []
try {
  const hub = await startHub()
  running.push(hub)
  const routers = await startRouters(hub, folder)
  running.push(...routers)
  const table = operations(await setStage(hub))
  const figures = await compare([{ name: 'CodePix', url: hub.url }, ...routers], table)
  for (const { name } of routers) {
    const { same, silent } = figures.get(name)
    const lost = silent > 0 ? `, ${silent} with the same data and without the error` : ''
    console.log(`${name}: ${same} of ${table.length} the same${lost}`)
    if (same + silent < table.length) process.exitCode = 1
  }
} finally {
  for (const one of running.reverse()) await one.stop()
  rmSync(folder, { recursive: true, force: true })
}
