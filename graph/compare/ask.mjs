// GraphQL over HTTP, and waiting.
import { once } from 'node:events'

const patienceMs = 180_000

export async function ask(url, token, body) {
  const response = await fetch(url, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'application/json',
      authorization: `Bearer ${token}`,
    },
    body: JSON.stringify(body),
  })
  const text = await response.text()
  try {
    return JSON.parse(text)
  } catch {
    throw new Error(`${url} answered ${response.status}: ${text}`)
  }
}

// What a step answers once it throws no more.
export async function eventually(what, step) {
  const end = Date.now() + patienceMs
  for (;;) {
    try {
      return await step()
    } catch (error) {
      if (Date.now() > end) throw new Error(`waited in vain until ${what}: ${error.message}`)
      await new Promise((again) => setTimeout(again, 100))
    }
  }
}

// Asks a process to end, and waits until it has.
export async function ended(child) {
  if (child.exitCode !== null) return
  child.kill('SIGTERM')
  await once(child, 'exit')
}
