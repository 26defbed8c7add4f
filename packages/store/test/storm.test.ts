import { seededRandom, temporaryDirectory, times } from '@howdah/fixtures'
import { readFileSync, readdirSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { Store } from '../src/index.ts'
import { Child } from './support/child.ts'

const processes = 6
const segments = 100
const duration = times(3_000, 10_000)

test(
  `${processes} processes that are killed at random while they save, list and destroy lose and tear nothing`,
  { tags: 'property', timeout: 120_000 },
  async () => {
    using directory = temporaryDirectory()
    const base = directory.file('base')
    const random = seededRandom(22)
    const killed = new Set<number>()
    const logs: string[] = []
    const errors: string[] = []
    const start = (): Child => {
      const log = directory.file(`log-${logs.length}`)
      logs.push(log)
      return new Child('storm', [base, log, segments])
    }

    const children = Array.from({ length: processes }, start)
    await using _ = {
      [Symbol.asyncDispose]: async () => {
        await Promise.all(children.map((child) => child.kill()))
      },
    }
    const end = performance.now() + duration
    while (performance.now() < end || killed.size < 4) {
      const victim = random.below(processes)
      const child = children[victim]!
      // The process is at work; it is killed at a random instant.
      await child.line()
      await sleep(random.below(200))
      killed.add(child.pid)
      await child.kill()
      errors.push(child.errors)
      children[victim] = start()
    }
    for (const child of children) child.tell('stop')
    const alive = new Map<number, number>()
    for (const child of children) {
      expect(await child.line()).toBe('begun')
      const [, left] = (await child.line()).split(' ')
      alive.set(child.pid, Number(left))
      errors.push(child.errors)
    }
    expect(errors.filter((text) => text !== '')).toEqual([])

    const owners = new Map<string, number>()
    const store = new Store(base, { durable: false })
    for await (const item of store.all()) {
      if (item.error) throw item.error
      owners.set(`${item.segment} ${item.id.text}`, item.process.pid)
    }
    const { saved, leftAlone } = readLogs(logs)
    expect(saved, 'the storm was one').toBeGreaterThan(killed.size)
    expect(killed.size).toBeGreaterThan(3)
    expect(
      leftAlone.filter((entry) => !owners.has(entry)),
      'saved entries that were lost',
    ).toEqual([])

    const reaped: string[] = []
    for (const { identity } of await store.segments()) {
      const segment = await store.segment(identity!)
      for (const item of await segment.reap()) {
        if (item.error) throw item.error
        reaped.push(`${item.segment} ${item.id.text}`)
      }
      expect(readdirSync(`${base}/${identity}`).filter((name) => name.startsWith('.'))).toEqual([])
    }
    const ofDead = [...owners].flatMap(([entry, pid]) => (killed.has(pid) ? [entry] : []))
    expect(reaped.toSorted(), 'exactly the dead').toEqual(ofDead.toSorted())

    const left = new Map([...alive.keys()].map((pid) => [pid, 0]))
    for await (const item of store.all()) {
      if (item.error) throw item.error
      left.set(item.process.pid, (left.get(item.process.pid) ?? 0) + 1)
    }
    expect(left, 'what the living hold').toEqual(alive)
  },
)

/** How many entries the processes report as saved, and the entries among them that no process began to destroy. */
function readLogs(logs: string[]): { saved: number; leftAlone: string[] } {
  let saved = 0
  const left = new Set<string>()
  for (const log of logs) {
    for (const line of readLines(log)) {
      const entry = line.slice(2)
      if (line.startsWith('+')) left.add(entry)
      else left.delete(entry)
      saved += line.startsWith('+') ? 1 : 0
    }
  }
  return { saved, leftAlone: [...left] }
}

/** The complete lines of a log; none if a process was killed before it began one. */
function readLines(path: string): string[] {
  try {
    return readFileSync(path, 'utf8').split('\n').slice(0, -1)
  } catch {
    return []
  }
}
