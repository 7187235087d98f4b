// What is asked of everybody: every context, and every way in which an answer can go wrong.
//
// A mutation carries a key of its own, so that whoever asks second is told what the first was told.
import { ana, bia, caio, duda } from './stage.mjs'

const nobody = '00000000-0000-4000-8000-000000000000'

export function operations({ completed, rejected }) {
  return [...queries(completed, rejected), ...absences(), ...refusals(), ...mutations(completed, rejected)]
}

function queries(completed, rejected) {
  return [
    {
      name: 'one account in all four contexts',
      query: `query($id: ID!) { account(id: $id) {
        id number status version openedAt owner { name taxId } limits { perTransfer perDay }
        bank { id ispb name code primaryColor position }
        balance { available held total version } funds { available held total }
        keys { nodes { key kind } }
        transfers(first: 2) { nodes {
          endToEndId amount state payeeKey { key }
          payee { ownerName bank { name primaryColor } account { balance { available } keys { nodes { key } } } }
        } pageInfo { hasNextPage } }
      } }`,
      variables: { id: ana },
    },
    {
      name: 'two accounts under aliases, one list twice',
      query: `{
        a: account(id: "${ana}") { last: transfers(first: 1) { nodes { amount } } all: transfers { nodes { amount state } } }
        c: account(id: "${caio}") { money: balance { total: available available: total } }
      }`,
    },
    {
      name: 'fragments within one another',
      query: `query($id: ID!) { transfer(id: $id) { ...sides state version deadline registeredAt } }
        fragment sides on Transfer { payer { ...party } payee { ...party ... on TransferParty { bank { ...bank } } } }
        fragment party on TransferParty { ownerName ownerTaxId account { ...account } }
        fragment account on Account { id balance { total } statement { nodes { kind amount balance } } }
        fragment bank on Bank { name accounts(first: 1) { nodes { id keys { nodes { key } } } } }`,
      variables: { id: completed },
    },
    ...[true, false].map((far) => ({
      name: `variables with defaults, include and skip: ${far}`,
      query: `query($id: ID!, $far: Boolean!, $first: Int = 1, $kind: PixKeyKind = EMAIL) {
        account(id: $id) {
          keys(kind: $kind) { nodes { key bank @include(if: $far) { name } } }
          balance @skip(if: $far) { available }
          ... @include(if: $far) { transfers(first: $first) { nodes { amount } } }
        }
      }`,
      variables: { id: bia, far },
    })),
    {
      name: 'a list whose entries go on to three contexts',
      query: `{ transfers(first: 5) { edges { cursor node {
        __typename id reason { code sentence } confirmedAt finishedAt
        payer { account { number owner { name } balance { available updatedAt } } bank { id position reserved } }
        payee { account { status listing { ownerName number bank { name } } keys { nodes { kind } } } }
      } } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }`,
    },
    {
      name: 'a filtered list',
      query: `{ transfers(state: REJECTED) { nodes { id state reason { code } payer { account { orders { nodes { state reason { code } } } } } } } }`,
    },
    {
      name: 'a key that is looked up, and who is behind it',
      query: `query($key: String!) { pixKey(key: $key, requesterIspb: "00000001") {
        id kind ownerName ownerTaxId ownedSince bank { name protocol secondaryColor }
        account { status balance { total } transfers(direction: RECEIVED) { nodes { amount } } }
      } }`,
      variables: { key: 'user1@cter.example' },
    },
    {
      name: 'banks and all that they have',
      query: `{ banks { nodes {
        id name position positionLimit enrolledAt primaryColor
        accounts(first: 10) { nodes { id bank { name } balance { total } keys(first: 5) { nodes { key } } } }
        transfers(first: 3) { nodes { amount } }
        sent: transfers(first: 3, direction: SENT) { nodes { amount payee { bank { name } } } }
      } } }`,
    },
    {
      name: 'an account that is reached from the directory and from the read side',
      query: `query($id: ID!) {
        listedAccount(id: $id) { id status listing { number bank { name } } balance { total } }
        balance(accountId: $id) { total account { number owner { name } bank { name } } }
      }`,
      variables: { id: ana },
    },
    {
      name: 'from the read side into the others',
      query: `{ balances(ispb: "00000002", first: 2) { nodes { available account {
        number owner { name } bank { name } keys { nodes { key } } transfers(first: 1) { nodes { id } }
      } } pageInfo { hasNextPage } } }`,
    },
    {
      name: 'a statement and the other sides of its lines',
      query: `query($id: ID!) { account(id: $id) { statement(first: 10) { edges { cursor node {
        kind direction amount balance description version occurredAt payeeKey { id }
        counterparty { name bank { name code } account { id owner { name } } }
        transfer { state payer { bank { name } } }
      } } } } }`,
      variables: { id: ana },
    },
    {
      name: 'the past, and a wait for a version',
      query: `query($id: ID!, $at: DateTime!) { account(id: $id) {
        then: balance(at: $at) { total } now: balance(minVersion: 2) { total version }
      } }`,
      variables: { id: caio, at: '2020-01-01T00:00:00Z' },
    },
    {
      name: 'what only the bank tells',
      query: `query($id: ID!) { account(id: $id) {
        holds { nodes { amount transfer { state } } }
        postings(first: 5) { nodes { kind amount } }
        orders(first: 5) { nodes {
          direction state counterpartyName counterpartyBank { name position }
          counterpartyAccount { id balance { total } } transfer { payee { account { id } } }
        } }
      } }`,
      variables: { id: ana },
    },
    {
      name: 'a refused transfer from both sides',
      query: `query($id: ID!) {
        transfer(id: $id) { state reason { code } payeeKey { kind account { balance { total } } } }
        order: accountTransfer(id: $id, accountId: "${bia}") { state amount account { funds { held } } }
      }`,
      variables: { id: rejected },
    },
    {
      name: 'what a bank sees of its own and of another',
      as: 'bank',
      query: `{
        mine: account(id: "${ana}") { number balance { total } keys { nodes { key } } bank { position accounts { nodes { id } } } }
        theirs: account(id: "${caio}") { number bank { name } balance { total } }
        bank(id: "00000001") { transfers { nodes { payee { ownerName account { id number owner { name } balance { total } } } } } }
      }`,
    },
    { name: 'type names alone', query: '{ __typename account(id: "' + ana + '") { __typename } }' },
  ]
}

function absences() {
  return [
    {
      name: 'an account that nobody has',
      query: `{ account(id: "${nobody}") { number balance { total } } bank(id: "00000077") { name } }`,
    },
    {
      name: 'entities of which some contexts know nothing',
      query: `{ transfers(first: 3) { nodes { payee { account { balance(at: "2020-01-01T00:00:00Z") { total } number } } } } }`,
    },
    {
      name: 'an order that nobody gave',
      query: `{ transfer(orderId: "${nobody}") { state payer { bank { name } } } }`,
    },
    {
      name: 'a transfer that there is not',
      query: '{ transfer(id: "E0000000120201120120000000000001") { state payer { bank { name } } } }',
    },
  ]
}

function refusals() {
  return [
    { name: 'an id that is none', query: '{ account(id: "7") { number } }' },
    {
      name: 'a transfer by two names',
      query: `{ transfer(id: "E0000000120201120120000000000001", orderId: "${nobody}") { state } }`,
    },
    { name: 'a page that is too long', query: '{ transfers(first: 201) { nodes { id } } }' },
    {
      name: 'a page that is too long, of many entities',
      query: '{ transfers(first: 3) { nodes { amount payer { account { number statement(first: 500) { nodes { kind } } } } } } }',
      besideOthers: true,
    },
    {
      name: 'one entity field that fails among many that do not',
      query: `query($id: ID!) { account(id: $id) { number balance { total } keys(after: "x") { nodes { key } } bank { name } } }`,
      variables: { id: ana },
      besideOthers: true,
    },
    { name: 'a root field that fails beside one that does not', query: '{ banks { nodes { name } } bank(id: "1") { name } }' },
    { name: 'a key that nobody has', query: '{ pixKey(key: "nobody@example.com", requesterIspb: "00000001") { kind } }' },
    { name: 'for the operator alone', as: 'bank', query: '{ transfers { nodes { id } } }' },
    {
      name: 'accounts of another bank',
      as: 'bank',
      query: '{ bank(id: "00000002") { name primaryColor accounts { nodes { number } } position } }',
    },
    { name: 'no GraphQL', query: '{ account(id: ', ownCodes: true },
    { name: 'a field that there is not', query: '{ account(id: "1") { colour } }', ownCodes: true },
    { name: 'a variable that is missing', query: 'query($id: ID!) { account(id: $id) { id } }', ownCodes: true },
    {
      name: 'a variable of another type',
      query: 'query($first: Int!) { banks(first: $first) { nodes { id } } }',
      variables: { first: 'many' },
      ownCodes: true,
    },
  ]
}

function mutations(completed, rejected) {
  const command = (name, field, type, input, fields, more = {}) => ({
    name,
    query: `mutation($input: ${type}!) { ${field}(input: $input) { ${fields} } }`,
    variables: { input },
    ...more,
  })
  const order = (name, input, more) =>
    command(name, 'requestTransfer', 'RequestTransferInput', { accountId: ana, ...input }, 'order { endToEndId amount payeeKey counterpartyName counterpartyBank { name code } account { owner { name } keys { nodes { key } } } }', more)
  return [
    command('register a key', 'registerPixKey', 'RegisterPixKeyInput', { requestId: 'r1', kind: 'EVP', accountId: caio }, 'pixKey { key kind bank { name } account { number balance { total } } }'),
    command('register a key of another', 'registerPixKey', 'RegisterPixKeyInput', { requestId: 'r2', kind: 'EMAIL', key: 'user1@cter.example', accountId: ana }, 'pixKey { key }'),
    command('open an account', 'openAccount', 'OpenAccountInput', { idempotencyKey: 'o1', ispb: '00000001', ownerName: 'Eva Dias', ownerTaxId: '52998224725' }, 'account { id number owner { name taxId } bank { name code } }'),
    command('deposit', 'deposit', 'DepositInput', { idempotencyKey: 'd1', accountId: caio, amount: '5.00' }, 'account { id owner { name } bank { name } }'),
    command('withdraw too much', 'withdraw', 'WithdrawInput', { idempotencyKey: 'w1', accountId: duda, amount: '900000.00' }, 'account { id }'),
    order('send a transfer', { idempotencyKey: 't1', payeeKey: 'user1@cter.example', amount: '0.50' }),
    order('the same key with another amount', { idempotencyKey: 't1', payeeKey: 'user1@cter.example', amount: '0.51' }),
    order('send more than there is', { idempotencyKey: 't2', payeeKey: 'user1@cter.example', amount: '99999.00' }),
    order('send to nobody', { idempotencyKey: 't3', payeeKey: 'nobody@example.com', amount: '1.00' }),
    order('send nothing', { idempotencyKey: 't4', payeeKey: 'user1@cter.example', amount: '0.00' }),
    order('send in a form that money has not', { idempotencyKey: 't5', payeeKey: 'user1@cter.example', amount: '1.005' }, { ownCodes: true }),
    order('send from another bank', { idempotencyKey: 't6', accountId: caio, payeeKey: 'user1@bbx.example', amount: '1.00' }, { as: 'bank' }),
    command('limits', 'setAccountLimits', 'SetAccountLimitsInput', { accountId: bia, limitPerTransfer: '50.00' }, 'account { limits { perTransfer perDay } balance { total } }'),
    command('block an account', 'blockAccount', 'BlockAccountInput', { accountId: bia }, 'account { status bank { name } keys { nodes { key } } }'),
    command('unblock it', 'unblockAccount', 'UnblockAccountInput', { accountId: bia }, 'account { status balance { total } }'),
    command('list an account of another hub', 'enrolAccount', 'EnrolAccountInput', { accountId: nobody, ispb: '00000001', number: '77', ownerName: 'Rui Luz', ownerTaxId: '52998224725' }, 'account { id listing { ownerName number bank { name } } }'),
    command('end a transfer that is not overdue', 'resolveTransfer', 'ResolveTransferInput', { endToEndId: completed, resolution: 'REFUSED', reason: 'asked' }, 'transfer { state }'),
    command('end one of an order that nobody gave', 'resolveTransfer', 'ResolveTransferInput', { orderId: nobody, resolution: 'CREDITED', reason: 'asked' }, 'transfer { state }'),
    command('acknowledge what was never credited', 'acknowledgeCredit', 'AcknowledgeCreditInput', { endToEndId: rejected, reason: 'settled' }, 'transfer { state }'),
    command('close an account with money', 'closeAccount', 'CloseAccountInput', { accountId: bia }, 'account { status }'),
    {
      name: 'two contexts in one document, in order',
      query: `mutation {
        a: deposit(input: { idempotencyKey: "d2", accountId: "${bia}", amount: "1.00" }) { account { owner { name } } }
        b: registerPixKey(input: { requestId: "r3", kind: EVP, accountId: "${bia}" }) { pixKey { kind account { owner { name } } } }
        c: setAccountLimits(input: { accountId: "${bia}", limitPerDay: "10.00" }) { account { limits { perDay } bank { position } } }
      }`,
    },
    {
      name: 'commands of which one is refused',
      query: `mutation {
        a: deposit(input: { idempotencyKey: "d3", accountId: "${bia}", amount: "1.00" }) { account { owner { name } } }
        b: deposit(input: { idempotencyKey: "d4", accountId: "${duda}", amount: "1.00" }) { account { owner { name } } }
        c: registerPixKey(input: { requestId: "r4", kind: EVP, accountId: "${duda}" }) { pixKey { kind } }
        d: deposit(input: { idempotencyKey: "d5", accountId: "${caio}", amount: "1.00" }) { account { bank { name } } }
      }`,
    },
    command('remove a key', 'removePixKey', 'RemovePixKeyInput', { requestId: 'x1', accountId: bia, key: 'user2@bbx.example' }, 'key removedAt'),
    command('enrol a bank', 'enrolBank', 'EnrolBankInput', { code: '003', name: 'Third' }, 'bank { id code name protocol position accounts { nodes { id } } }'),
    command('enrol as a bank', 'enrolBank', 'EnrolBankInput', { code: '004', name: 'Fourth' }, 'bank { id }', { as: 'bank' }),
  ]
}
