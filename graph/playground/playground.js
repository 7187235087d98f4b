// Starts GraphiQL on this hub's graph, with the examples as its first tabs.
'use strict'

const socket = new URL('/graphql/ws', window.location.href)
socket.protocol = socket.protocol === 'https:' ? 'wss:' : 'ws:'

// Headers of a tab (authorization) go with the request and, for subscriptions, into the
// connection's first message.
const fetcher = GraphiQL.createFetcher({ url: '/graphql', subscriptionUrl: socket.href })

ReactDOM.createRoot(document.getElementById('playground')).render(
  React.createElement(GraphiQL, {
    fetcher,
    defaultTabs: window.examples,
    defaultEditorToolsVisibility: 'variables',
    shouldPersistHeaders: false,
  }),
)
