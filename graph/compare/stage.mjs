// What there is to ask about: transfers between the demo accounts, all at their end, one refused.
import { ask, eventually } from './ask.mjs'
import { operator } from './hub.mjs'

export const ana = '6e4635ce-88d1-4e58-9597-d13fc446ee47' // bank 001
export const bia = '51a720b2-5144-4d7f-921d-57023b1e24c1' // bank 001
export const caio = '103cc632-78e7-4476-ab63-d5ad3a562d26' // bank 002
export const duda = '463b1b2a-b5fa-4b88-9c31-e5c894a20ae3' // bank 002

const send = `mutation($input: RequestTransferInput!) {
  requestTransfer(input: $input) { order { endToEndId } }
}`
const rest = `{
  transfers(first: 50) { nodes { state } }
  one: accounts(ispb: "00000001") { nodes { ...money } }
  two: accounts(ispb: "00000002") { nodes { ...money } }
}
fragment money on Account { funds { total held } balance { total held } orders { nodes { state } } }`

// The EndToEndIds of a completed and of a rejected transfer.
export async function setStage(hub) {
  const done = async (query, variables) => {
    const { data, errors } = await ask(hub.url, operator, { query, variables })
    if (errors) throw new Error(JSON.stringify(errors))
    return data
  }
  const pay = async (accountId, payeeKey, amount) => {
    const input = { accountId, payeeKey, amount, idempotencyKey: `stage-${amount}` }
    return (await done(send, { input })).requestTransfer.order.endToEndId
  }
  const completed = await pay(ana, 'user1@cter.example', '12.34')
  await pay(ana, 'user1@cter.example', '0.01')
  await pay(caio, 'user2@bbx.example', '100.00')
  await pay(ana, 'user2@bbx.example', '7.00')
  const blocked = { input: { accountId: duda } }
  await done('mutation($input: BlockAccountInput!) { blockAccount(input: $input) { account { id } } }', blocked)
  const rejected = await pay(bia, 'user2@cter.example', '1.00')
  await eventually('money is at rest and known everywhere', async () => {
    const { transfers, one, two } = await done(rest)
    const accounts = [...one.nodes, ...two.nodes]
    const final = transfers.nodes.every(({ state }) => state === 'COMPLETED' || state === 'REJECTED')
    const known = accounts.every(
      ({ funds, balance, orders }) =>
        funds.held === '0.00' &&
        balance?.held === '0.00' &&
        funds.total === balance.total &&
        orders.nodes.every(({ state }) => state !== 'REQUESTED'),
    )
    if (!final || !known || transfers.nodes.length < 4) throw new Error(JSON.stringify({ transfers, accounts }))
  })
  return { completed, rejected }
}
