// One of several processes that contend for leases: does what the test asks for by message.
import { appendFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { hold, runCommandWithLease } from '@howdah/lease'
import { openLeaser } from './open-leaser.mjs'

const opened = new Map()
const leases = new Map()

/** One leaser for each place and contender, kept open; its clock is the one of the latest request. */
async function leaserOf({ clockOffset = 0, ...place }, contender = 0) {
  const key = JSON.stringify([place, contender])
  let entry = opened.get(key)
  if (entry === undefined) {
    entry = { clockOffset }
    entry.leaser = openLeaser(place, () => entry.clockOffset)
    opened.set(key, entry)
  }
  entry.clockOffset = clockOffset
  if (opened.size > 200) {
    const [oldest] = opened.keys()
    opened.delete(oldest)
  }
  return entry.leaser
}

const clock = () => Number(process.hrtime.bigint()) / 1e6

/** Blocks the event loop for some ms, without work for the processor. */
function blockFor(time) {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, time)
}

/** All workers start at the same moment, by the clock that they share. */
async function startAt(at) {
  if (at === undefined) return
  const left = at - clock()
  if (left > 2) await sleep(left - 2)
  while (clock() < at);
}

function shown({ generation, etag, owner, expiresAt }) {
  return { generation: String(generation), etag, owner, expiresAt: expiresAt.getTime() }
}

async function attempt(action) {
  const before = clock()
  try {
    const lease = await action()
    return { ok: true, before, after: clock(), ...(lease && { lease: shown(lease) }) }
  } catch (error) {
    if (!error.code?.startsWith('ERR_LEASE')) throw error
    return { ok: false, before, after: clock(), code: error.code, message: error.message }
  }
}

const revived = ({ generation, etag }) => ({ generation: BigInt(generation), etag })

const actions = {
  async open({ place }) {
    await (await leaserOf(place)).inspect()
  },
  async acquire({ place, at }) {
    const leaser = await leaserOf(place)
    await startAt(at)
    return attempt(() => leaser.acquire())
  },
  async contend({ place, count, at }) {
    const leasers = []
    for (let n = 0; n < count; n++) leasers.push(await leaserOf(place, n))
    await startAt(at)
    return Promise.all(leasers.map((leaser) => attempt(() => leaser.acquire())))
  },
  async acquireUntil({ place, from = 0, until, pause = 0 }) {
    const leaser = await leaserOf(place)
    await sleep(Math.max(0, from - clock()))
    for (;;) {
      const result = await attempt(() => leaser.acquire())
      if (result.ok || clock() >= until) return result
      await sleep(pause)
    }
  },
  async renew({ place, lease, at }) {
    const leaser = await leaserOf(place)
    await startAt(at)
    return attempt(() => leaser.renew(revived(lease)))
  },
  async renewLater({ place, lease, at }) {
    const leaser = await leaserOf(place)
    await sleep(Math.max(0, at - clock()))
    return attempt(() => leaser.renew(revived(lease)))
  },
  async release({ place, lease, at }) {
    const leaser = await leaserOf(place)
    await startAt(at)
    return attempt(() => leaser.release(revived(lease)))
  },
  /** Acquires, writes the generation down while holding it, and releases, until it is killed. */
  async cycle({ place, log }) {
    const leaser = await leaserOf(place)
    for (let refusals = 0; ;) {
      try {
        const lease = await leaser.acquire()
        refusals = 0
        appendFileSync(log, `${lease.generation}\n`)
        // A process that was too slow writing may have been overtaken.
        if (lease.isExpired) appendFileSync(log, `late ${lease.generation}\n`)
        await leaser.release(lease)
      } catch (error) {
        if (!error.code?.startsWith('ERR_LEASE')) throw error
        // Ever longer: the lease of a killed process has to expire.
        refusals += 1
        await sleep(2 + Math.random() * Math.min(100, 8 * refusals))
      }
    }
  },
  async hold({ place, options }) {
    const held = await hold(await leaserOf(place), options)
    leases.set(place.backend, held)
    held.signal.addEventListener('abort', () => process.send({ event: 'lost', at: clock() }))
    return { from: clock(), until: held.deadline.monotonic, lease: shown(held.lease) }
  },
  /** What check() says right after a stall: a stop from outside, or a loop that blocks for that many ms. */
  async watch({ place, block }) {
    const held = leases.get(place.backend)
    const start = clock()
    // Both from inside one turn. A stop shows as a gap between two looks at the clock.
    for (let last = start, now = start; block ? now - start < block : now - last < 300;) {
      last = now
      blockFor(5)
      now = clock()
    }
    const verdict = await attempt(() => void held.check())
    const firedAtOnce = held.signal.aborted
    await new Promise((resolve) => setImmediate(resolve))
    return { ...verdict, firedAtOnce, fired: held.signal.aborted }
  },
  async drop({ place }) {
    await leases.get(place.backend).release()
  },
  async command({ place, command, args, options }) {
    const result = await runCommandWithLease(await leaserOf(place), command, args, {
      ...options,
      onStart: ({ pid, generation }) => {
        process.send({ event: 'started', pid, generation: String(generation) })
      },
    })
    return { ...result, lost: result.lost && { code: result.lost.code } }
  },
}

async function answer({ id, action, ...request }) {
  try {
    const value = await actions[action](request)
    process.send({ id, value })
  } catch (error) {
    process.send({ id, error: error.stack ?? String(error) })
  }
}

process.on('message', (request) => void answer(request))
process.on('disconnect', () => process.exit())
