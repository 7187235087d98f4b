// Starts GraphiQL on this hub's graph, with the examples as its first tabs.
'use strict'

const socket = new URL('/graphql/ws', window.location.href)
socket.protocol = socket.protocol === 'https:' ? 'wss:' : 'ws:'

// Headers of a tab (authorization) go with the request and, for subscriptions, into the
// connection's first message.
const fetcher = GraphiQL.createFetcher({ url: '/graphql', subscriptionUrl: socket.href })

// crypto.randomUUID is not there where the hub is reached over plain HTTP by another name than
// localhost.
function newKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(16))
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
}

// `$new` in the variables is another key each time they are sent.
function renewed(value) {
  if (value === '$new') return newKey()
  if (Array.isArray(value)) return value.map(renewed)
  if (value === null || typeof value !== 'object') return value
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, renewed(part)]))
}

// GraphiQL learns what a tab holds a moment after it came to the front. Who runs it at once would
// ask for the operation of the tab before.
function named(operation, options) {
  try {
    const documentAST = GraphiQL.GraphQL.parse(operation.query)
    const operations = documentAST.definitions.filter((it) => it.kind === 'OperationDefinition')
    const only = operations.length === 1 ? { operationName: operations[0].name?.value } : {}
    return [{ ...operation, ...only }, { ...options, documentAST }]
  } catch {
    // The hub says where the mistake is.
    return [operation, options]
  }
}

function ask(operation, options) {
  const variables = renewed(operation.variables)
  return fetcher(...named({ ...operation, variables }, options))
}

// GraphiQL keeps the tabs of the last visit, and on the first one shows the variables of the first
// tab only if they are given apart.
const isFirstVisit = localStorage.getItem('graphiql:tabState') === null

function show(examples) {
  const first = isFirstVisit ? { variables: examples[0]?.variables } : {}
  ReactDOM.createRoot(document.getElementById('playground')).render(
    React.createElement(
      GraphiQL,
      {
        fetcher: ask,
        defaultTabs: examples,
        defaultEditorToolsVisibility: 'variables',
        shouldPersistHeaders: false,
        ...first,
      },
      React.createElement(GraphiQL.Logo, null, 'CodePix'),
    ),
  )
}

fetch('/graphql/assets/examples.json')
  .then((response) => response.json())
  .then(show, () => show([]))
