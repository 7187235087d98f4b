// The first tabs of the playground, in the order in which a payment happens. They use the accounts
// of the demo data; each load of the page makes idempotency keys of its own.
'use strict'

const payer = '6e4635ce-88d1-4e58-9597-d13fc446ee47'
const payee = '103cc632-78e7-4476-ab63-d5ad3a562d26'
const fresh = () => crypto.randomUUID()
const tab = (query, variables) => ({
  query: query.trim() + '\n',
  variables: JSON.stringify(variables, null, 2),
})

window.examples = [
  tab(
    `
# 1. Register a key for an account of bank 002. The directory makes the random ones.
mutation RegisterKey($input: RegisterPixKeyInput!) {
  registerPixKey(input: $input) {
    pixKey {
      key
      kind
      ownerName
      bank { code name }
    }
  }
}`,
    { input: { requestId: fresh(), kind: 'EVP', accountId: payee } },
  ),
  tab(
    `
# 2. Look a key up, as the payer's bank does.
query LookUp($key: String!, $requester: Ispb!) {
  pixKey(key: $key, requesterIspb: $requester) {
    kind
    ownerName
    bank { code name primaryColor }
    account { id status }
  }
}`,
    { key: 'user1@cter.example', requester: '00000001' },
  ),
  tab(
    `
# 3. Send a transfer to the key. The same idempotency key again is the same transfer.
mutation Send($input: RequestTransferInput!) {
  requestTransfer(input: $input) {
    order {
      endToEndId
      state
      amount
      account { funds { available held } }
    }
  }
}`,
    {
      input: {
        idempotencyKey: fresh(),
        accountId: payer,
        payeeKey: 'user1@cter.example',
        amount: '12.34',
        description: 'From the playground',
      },
    },
  ),
  tab(
    `
# 4. Follow the transfers of an account: start this, then send one in the tab before.
subscription Follow($account: ID!) {
  transferUpdated(accountId: $account) {
    endToEndId
    state
    amount
    payee { ownerName account { balance { available } } }
  }
}`,
    { account: payer },
  ),
  tab(
    `
# 5. Ask for a balance, and for what is behind it: this crosses all four contexts.
query Balance($account: ID!) {
  account(id: $account) {
    owner { name }
    bank { name position }
    balance { available held total updatedAt }
    keys { nodes { key kind } }
    transfers(first: 3) {
      nodes {
        amount
        state
        payee {
          ownerName
          bank { name }
          account { balance { available } }
        }
      }
    }
  }
}`,
    { account: payer },
  ),
]
