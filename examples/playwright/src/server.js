import { createServer } from 'node:http'
import { Notes } from './notes.js'

/** An API for notes; resolves to its URL when it listens. */
export async function startServer(pool) {
  const notes = new Notes(pool)
  const server = createServer(async (request, response) => {
    if (request.method === 'POST') {
      let text = ''
      for await (const chunk of request) text += chunk
      response.end(JSON.stringify({ id: await notes.add(text) }))
    } else response.end(JSON.stringify(await notes.list()))
  })
  await new Promise((listening) => server.listen(0, '127.0.0.1', listening))
  return { url: `http://127.0.0.1:${server.address().port}`, close: () => server.close() }
}
