// GraphQL over HTTP, and waiting.
const patienceMs = 60_000

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
