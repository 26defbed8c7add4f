import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'

const program = fileURLToPath(new URL('../src/stock.js', import.meta.url))
const cwd = mkdtempSync(join(tmpdir(), 'stock-'))
after(() => rmSync(cwd, { recursive: true }))

const start = (...words) => spawn(process.execPath, [program, ...words], { cwd })
const inStock = () => JSON.parse(readFileSync(join(cwd, 'stock.json'), 'utf8'))

test('of ten that add at once, none is lost', async () => {
  const all = Array.from({ length: 10 }, () => once(start('add', 'pears', '3'), 'exit'))
  assert.deepEqual(
    await Promise.all(all),
    all.map(() => [0, null]),
  )
  assert.deepEqual(inStock(), { pears: 30 })
})

test('who adds during an audit waits, and is told for whom', async () => {
  const audit = start('audit', 'sh', '-c', 'echo begun; read end')
  await once(audit.stdout, 'data')
  const add = start('add', 'plums', '1')
  const [said] = await once(add.stderr, 'data')
  // Only Linux tells who holds a lock.
  const whom = process.platform === 'linux' ? `.*\\(${audit.pid}\\)` : ''
  assert.match(String(said), new RegExp(`^waiting for ${whom}`))
  assert.equal(inStock().plums, undefined)
  audit.stdin.end('end\n')
  assert.deepEqual(await once(add, 'exit'), [0, null])
  assert.equal(inStock().plums, 1)
})

test('an audit that is killed leaves no lock behind', async () => {
  const audit = start('audit', 'sh', '-c', 'echo begun; read end')
  await once(audit.stdout, 'data')
  audit.kill('SIGKILL')
  await once(audit, 'exit')
  assert.deepEqual(await once(start('add', 'figs', '1'), 'exit'), [0, null])
  assert.equal(inStock().figs, 1)
})
