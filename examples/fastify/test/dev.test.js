import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { after, test } from 'node:test'

after(() => spawnSync('npx', ['howdah', 'destroy', '--force', '--no-save', '--quiet']))

/** The server for development, as `npm run dev` starts it, and its address. */
async function dev() {
  const args = ['howdah', 'exec', '--', 'node', 'src/server.js']
  const env = { ...process.env, PORT: '0' }
  const stdio = ['ignore', 'pipe', 'inherit']
  const child = spawn('npx', args, { env, stdio, detached: true })
  const [address] = await once(child.stdout, 'data')
  return { child, url: `${String(address).trim()}/notes` }
}

test('notes are there when the server for development starts again', async () => {
  for (const text of ['buy hay', 'brush the elephant']) {
    const { child, url } = await dev()
    const headers = { 'content-type': 'application/json' }
    await fetch(url, { method: 'POST', headers, body: JSON.stringify({ text }) })
    const notes = await (await fetch(url)).json()
    assert.equal(notes.at(-1).text, text)
    assert.equal(notes.length, text === 'buy hay' ? 1 : 2)
    // Ctrl-C reaches the whole group.
    process.kill(-child.pid, 'SIGINT')
    await once(child, 'exit')
  }
})
