// Copies the published files into assets/, without the references to source maps that we do not serve.
import { readFileSync, writeFileSync } from 'node:fs'

const files = [
  'graphiql/graphiql.min.js',
  'graphiql/graphiql.min.css',
  'react/umd/react.production.min.js',
  'react-dom/umd/react-dom.production.min.js',
]
for (const file of files) {
  const published = readFileSync(new URL(`node_modules/${file}`, import.meta.url), 'utf8')
  const served = published.replace(/\n?\/[/*]# sourceMappingURL=.*(\*\/)?\s*$/, '\n')
  writeFileSync(new URL(`assets/${file.split('/').at(-1)}`, import.meta.url), served)
}
