// Mostly waits: for leases to end.
import { randomUUID } from 'node:crypto'
import { hold } from '@howdah/lease'
import { createEtcdLeaser } from '@howdah/lease/etcd'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { long } from './describe-contention.ts'
import { describeLeaser, refusalOf } from './describe-leaser.ts'
import { EtcdCluster, whyNoEtcd } from './etcd-cluster.ts'
import type { Place } from './open-leaser.mjs'

const alongside = { concurrent: true, skip: whyNoEtcd !== null }
const reason = whyNoEtcd === null ? '' : `: ${whyNoEtcd}`

// Most of the time they wait for leases to end. Each has a cluster of its own.
describe(`with an etcd${reason}`, alongside, () => {
  describe.sequential('of three members', () => {
    describeLeaser('etcd', makeContext, { rounds: 4, races: 12, cycles: 30 })
  })
})
describe(`with an etcd of which a member dies${reason}`, alongside, () => {
  describeFailure()
})

async function makeContext() {
  const cluster = await EtcdCluster.start()
  const put = (value: string) => async (place: Place) => {
    await cluster.ask('/v3/kv/put', {
      key: base64(String(place['key'])),
      value: base64(value),
    })
  }
  return {
    place: (options: Partial<Place> = {}): Place => ({
      backend: 'etcd',
      endpoints: cluster.endpoints,
      key: `test/${randomUUID()}`,
      // The server counts seconds and grants two at least.
      ttl: 2_000,
      maxTtl: 10_000,
      ...options,
    }),
    expire: async (place: Place, { etag }: { etag: string }) => {
      await cluster.ask('/v3/lease/revoke', { ID: etag })
      return place
    },
    expiredIsGone: true,
    corruptions: {
      garbage: put('\0\u0001 no lease'),
      empty: put(''),
      truncated: put('{"owner":"so'),
      'bound to no lease': put('{"owner":"x","nonce":"x","released":false}'),
      'an end too far away': async (place: Place) => {
        const ID = String(Math.floor(Math.random() * 2 ** 48) + 1)
        await cluster.ask('/v3/lease/grant', { ID, TTL: '3600' })
        await cluster.ask('/v3/kv/put', {
          key: base64(String(place['key'])),
          value: base64('{"owner":"x","nonce":"x","released":false}'),
          lease: ID,
        })
      },
    },
    [Symbol.asyncDispose]: () => cluster[Symbol.asyncDispose](),
  }
}

function describeFailure() {
  describe.sequential('a lease', () => {
    let cluster: EtcdCluster

    beforeAll(async () => {
      cluster = await EtcdCluster.start()
    })
    afterAll(async () => cluster?.[Symbol.asyncDispose]())

    function leaser(key: string, requestTimeout = 500, ttl = 6_000) {
      return createEtcdLeaser({ endpoints: cluster.endpoints, key, ttl, requestTimeout })
    }

    test('is held on over the death of the leader, and nobody else gets it', async () => {
      const key = randomUUID()
      const held = await hold(leaser(key), { heartbeat: 300 })
      const { generation } = held
      const leader = await cluster.leader()
      await cluster.kill(leader)
      const end = performance.now() + 8_000
      while (performance.now() < end) {
        held.check()
        expect(await refusalOf(leaser(key).acquire())).toMatchObject({ code: 'ERR_LEASE_EXISTS' })
        await new Promise((resolve) => setTimeout(resolve, 250))
      }
      expect(held.generation).toBe(generation)
      await held.release()
      const next = await leaser(key).acquire()
      expect(next.generation).toBeGreaterThan(generation)
      await cluster.restart(leader)
    })

    test('has one winner among contenders while a member dies', async () => {
      const keys = Array.from({ length: long ? 20 : 8 }, () => randomUUID())
      const killing = cluster.kill(0)
      const winners = await Promise.all(
        keys.map(async (key) => {
          const results = await Promise.allSettled(
            Array.from({ length: 8 }, () => leaser(key, 500, 30_000).acquire()),
          )
          return results.filter(({ status }) => status === 'fulfilled').length
        }),
      )
      await killing
      await cluster.restart(0)
      expect(winners).toEqual(keys.map(() => 1))
    })

    test('is lost in time, with an honest error, if no majority is left', async () => {
      const held = await hold(leaser(randomUUID()), { heartbeat: 300 })
      await Promise.all([cluster.kill(1), cluster.kill(2)])
      await new Promise((resolve) => held.signal.addEventListener('abort', resolve))
      expect(() => held.check()).toThrow(expect.objectContaining({ code: 'ERR_LEASE_LOST' }))
      expect(await refusalOf(leaser(randomUUID(), 100).acquire())).toMatchObject({
        code: 'ERR_LEASE_UNAVAILABLE',
      })
      await held.release()
    })
  })
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64')
}
