import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

const program = fileURLToPath(new URL('../src/nightly.js', import.meta.url))

/** Machines that share a directory. */
function machines(t) {
  const share = mkdtempSync(join(tmpdir(), 'nightly-'))
  t.after(() => rmSync(share, { recursive: true }))
  const start = (name, env = {}) => {
    const all = { ...process.env, SHARE: share, MACHINE: name, ...env }
    const child = spawn(process.execPath, [program], { env: all })
    child.said = ''
    child.stdout.on('data', (data) => (child.said += data))
    return child
  }
  const sent = () => {
    const log = readdirSync(share).find((name) => name.startsWith('reports'))
    return readFileSync(join(share, log), 'utf8').trim().split('\n')
  }
  return { start, sent }
}

test('while one machine sends the reports, another does not', async (t) => {
  const { start, sent } = machines(t)
  const north = start('north')
  await once(north.stdout, 'data')
  north.kill('SIGSTOP')
  const south = start('south')
  await once(south, 'close')
  assert.equal(south.said, 'north is at it\n')
  north.kill('SIGCONT')
  assert.deepEqual(await once(north, 'close'), [0, null])
  assert.deepEqual(
    sent().map((line) => line.split(',')[0]),
    ['ann by north', 'bob by north', 'cem by north'],
  )
})

test('a machine that comes late sends nothing again', async (t) => {
  const { start, sent } = machines(t)
  for (const name of ['north', 'south']) await once(start(name), 'close')
  assert.deepEqual(
    sent().map((line) => line.split(' ')[2]),
    ['north,', 'north,', 'north,'],
  )
})

test('a machine that slept sends nothing once another has taken over', async (t) => {
  const { start, sent } = machines(t)
  const short = { TTL: '3000', SKEW: '500' }
  const north = start('north', { ...short, PAUSE: '1500' })
  await once(north.stdout, 'data')
  north.kill('SIGSTOP')
  let south
  do {
    await setTimeout(100)
    south = start('south', short)
    await once(south, 'close')
  } while (south.said.includes('north is at it'))
  north.kill('SIGCONT')
  await once(north, 'close')
  assert.match(north.said, /lost the lease/)
  const log = sent().join('\n')
  assert.match(log, /^(\w+ by north, generation 1\n)+(\w+ by south, generation 2\n?)+$/)
  assert.deepEqual(log.match(/^\w+/gm), ['ann', 'bob', 'cem'])
})
