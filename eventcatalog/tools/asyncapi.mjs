// Holds every committed AsyncAPI document to AsyncAPI's own JSON Schema.
import { readFileSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { join } from 'node:path';
import Ajv from 'ajv';
import addFormats from 'ajv-formats';

const require = createRequire(import.meta.url);
const root = fileURLToPath(new URL('..', import.meta.url));
const schema = require('@asyncapi/specs/schemas/3.0.0-without-$id.json');

const ajv = new Ajv({ strict: false, allErrors: true, validateFormats: true });
addFormats(ajv);
const isValid = ajv.compile(schema);

// Every document that is committed: below domains, and the one of the whole product.
const files = ['domains', 'public']
  .flatMap((folder) => readdirSync(join(root, folder), { recursive: true }).map((it) => join(folder, it)))
  .filter((file) => file.endsWith('asyncapi.json'));
let failed = files.length < 2;
for (const file of files) {
  const document = JSON.parse(readFileSync(join(root, file), 'utf8'));
  if (document.asyncapi === '3.0.0' && isValid(document)) {
    console.log(`${file}: AsyncAPI 3.0.0`);
  } else {
    failed = true;
    const why = (isValid.errors ?? []).slice(0, 20).map((it) => `${it.instancePath}: ${it.message}`);
    console.error(`${file} is not AsyncAPI 3.0.0:\n  ${why.join('\n  ')}`);
  }
}
process.exit(failed ? 1 : 0);
