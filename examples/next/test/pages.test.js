import assert from 'node:assert/strict'
import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { after, test } from 'node:test'

const env = { ...process.env, NEXT_TELEMETRY_DISABLED: '1' }
delete env.NODE_ENV

after(() => spawnSync('npx', ['howdah', 'destroy', '--force', '--no-save', '--quiet']))

/** Runs `npm run dev` or `npm start` while the action talks to it, and ends it as Ctrl-C does. */
async function running(script, action) {
  const stdio = ['ignore', 'pipe', 'inherit']
  const args = ['run', script, '--', '--port', '0']
  const child = spawn('npm', args, { env, stdio, detached: true })
  const exited = once(child, 'exit')
  try {
    await action(await addressOf(child))
  } finally {
    process.kill(-child.pid, 'SIGINT')
    await exited
  }
}

/** The address that Next prints when it listens. */
async function addressOf({ stdout }) {
  const said = []
  for await (const line of createInterface(stdout)) {
    said.push(line)
    const [address] = /http:\/\/localhost:\d+/.exec(line) ?? []
    if (address !== undefined) {
      stdout.resume()
      return address
    }
  }
  throw new Error(`Next did not start:\n${said.join('\n')}`)
}

async function add(address, text) {
  const body = JSON.stringify({ text })
  const { status } = await fetch(`${address}/notes`, { method: 'POST', body })
  assert.equal(status, 201)
}

async function notesOn(address) {
  const page = await (await fetch(address)).text()
  return [...page.matchAll(/<li>(.*?)<\/li>/g)].map(([, text]) => text)
}

test('the page shows the notes under next dev, and the same under next start', async () => {
  await running('dev', async (address) => {
    assert.deepEqual(await notesOn(address), [])
    await add(address, 'buy hay')
    assert.deepEqual(await notesOn(address), ['buy hay'])
  })
  execFileSync('npm', ['run', 'build'], { env, stdio: ['ignore', 'ignore', 'inherit'] })
  await running('start', async (address) => {
    await add(address, 'brush the elephant')
    assert.deepEqual(await notesOn(address), ['buy hay', 'brush the elephant'])
  })
})
