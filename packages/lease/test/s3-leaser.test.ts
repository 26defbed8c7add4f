// Mostly waits: for leases to end.
import { randomUUID } from 'node:crypto'
import { S3Client } from '@aws-sdk/client-s3'
import { createS3Leaser } from '@howdah/lease/s3'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { long } from './describe-contention.ts'
import { describeLeaser, refusalOf, type LeaserContext } from './describe-leaser.ts'
import { Crew, type Attempt } from './crew.ts'
import type { Place } from './open-leaser.mjs'
import { allFaults, S3Server } from './s3-server.ts'

const credentials = { accessKeyId: 'test', secretAccessKey: 'test' }

function contextOf(place: (options?: Partial<Place>) => Place, server: S3Server): LeaserContext {
  const spoil = (what: string) => async (at: Place) => {
    server.objects.set(keyOf(at), { body: Buffer.from(what), etag: `"${randomUUID()}"` })
  }
  return {
    place,
    expire: async (at) => ({ ...at, clockOffset: (at.clockOffset ?? 0) + at.ttl + 60_000 }),
    corruptions: {
      garbage: spoil('\0\u0001 no lease'),
      empty: spoil(''),
      truncated: spoil('{"generation":1,"expires_at":"20'),
      'an end too far away': async (at) => {
        const end = new Date(Date.now() + 3_600_000).toISOString()
        await spoil(`{"generation":7,"expires_at":"${end}","owner":"x","nonce":"x"}`)(at)
      },
    },
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  }
}

function keyOf(place: Place): string {
  return `${String(place['bucket'])}/${String(place['path'])}/lock.json`
}

function placeIn(endpoint: string) {
  return (options: Partial<Place> = {}): Place => ({
    backend: 's3',
    endpoint,
    credentials,
    bucket: 'leases',
    path: randomUUID(),
    ttl: 1_000,
    maxTtl: 1_000,
    clockSkew: 500,
    ...options,
  })
}

describeLeaser(
  'S3',
  async () => {
    const server = await S3Server.start()
    const place = placeIn(server.endpoint)
    // It is proved below. Sixteen proofs a round would be most of the requests.
    return contextOf((options) => place({ proveConditions: false, ...options }), server)
  },
  { rounds: 4, races: 40, cycles: 60 },
)

describe('a lease in S3 with faults', () => {
  let server: S3Server
  let crew: Crew
  let place: ReturnType<typeof placeIn>
  const patient = { ttl: 10_000, maxTtl: 10_000, requestTimeout: 300 }

  beforeAll(async () => {
    server = await S3Server.start()
    place = placeIn(server.endpoint)
    crew = new Crew(3)
  })
  beforeEach(() => {
    server.faults = { kinds: [], share: 0 }
    server.habits = {}
    server.nextFaults.length = 0
  })
  afterAll(async () => {
    await crew?.[Symbol.asyncDispose]()
    await server?.[Symbol.asyncDispose]()
  })

  function client(): S3Client {
    // Without the SDK's own repetitions, so that each fault is seen.
    return new S3Client({
      endpoint: server.endpoint,
      region: 'us-east-1',
      forcePathStyle: true,
      credentials,
      maxAttempts: 1,
    })
  }

  test.each(allFaults)('is acquired, renewed and released if a PUT is %s', async (fault) => {
    const leaser = await createS3Leaser({
      client: client(),
      bucket: 'leases',
      path: randomUUID(),
      requestTimeout: 300,
    })
    await leaser.inspect()
    server.nextFaults.push(fault)
    const lease = await leaser.acquire()
    server.nextFaults.push(fault)
    const renewed = await leaser.renew(lease)
    expect(renewed.generation).toBe(lease.generation)
    server.nextFaults.push(fault)
    await leaser.release(renewed)
    expect(await leaser.inspect()).toMatchObject({ held: false })
  })

  test('has at most one winner among contenders whose requests go wrong', async () => {
    const rounds = long ? 300 : 6
    let won = 0
    for (let round = 0; round < rounds; round++) {
      server.faults = { kinds: allFaults, share: 0.3 }
      const at = place(patient)
      const results = (await crew.all<Attempt[]>('contend', { place: at, count: 2 })).flat()
      server.faults = { kinds: [], share: 0 }
      const winners = results.filter(({ ok }) => ok)
      expect(winners.length).toBeLessThanOrEqual(1)
      const codes = results.filter(({ ok }) => !ok).map(({ code }) => code)
      expect(['ERR_LEASE_EXISTS', 'ERR_LEASE_UNAVAILABLE']).toEqual(expect.arrayContaining(codes))
      if (winners[0]?.lease === undefined) continue
      won++
      // The winner has it, whatever came late.
      const kept = await crew.workers[0]!.ask('renew', { place: at, lease: winners[0].lease })
      expect(kept.ok).toBe(true)
    }
    expect(won).toBeGreaterThan(rounds / 2)
  }, 600_000)

  test('is renewed with the lease that its holder has, although an earlier renewal’s answer was lost', async () => {
    const leaser = await createS3Leaser({
      client: client(),
      bucket: 'leases',
      path: randomUUID(),
      requestTimeout: 200,
    })
    const lease = await leaser.acquire()
    for (let n = 0; n < 5; n++) server.nextFaults.push('lost before it is done')
    expect(await refusalOf(leaser.renew(lease))).toMatchObject({ code: 'ERR_LEASE_UNAVAILABLE' })
    expect(server.nextFaults).toHaveLength(0)
    server.nextFaults.push('lost after it is done')
    await leaser.renew(lease)
    // The same old lease again: its etag is gone, its nonce is not.
    await leaser.renew(lease)
    await leaser.release(lease)
  })

  test.each(['If-Match', 'If-None-Match', 'both'] as const)(
    'is refused at first use by a store that ignores %s',
    async (ignores) => {
      server.habits = { ignores }
      const leaser = await createS3Leaser({ client: client(), bucket: 'leases', path: 'careless' })
      const refusal = await refusalOf(leaser.acquire())
      expect(refusal).toMatchObject({ code: 'ERR_LEASE_STORE_UNSAFE' })
      expect((refusal as Error).message).toContain('two contenders could both win')
      // Nothing of the lease was written, and nothing of the proof is left.
      expect([...server.objects.keys()].filter((key) => key.includes('careless'))).toEqual([])
    },
  )

  test('is refused by a store that does not know conditions', async () => {
    server.habits = { refusesConditions: true }
    const leaser = await createS3Leaser({ client: client(), bucket: 'leases' })
    expect(await refusalOf(leaser.acquire())).toMatchObject({ code: 'ERR_LEASE_STORE_UNSAFE' })
  })

  test('is kept in a store that compares etags without their quotes', async () => {
    server.habits = { bareEtags: true }
    const leaser = await createS3Leaser({ client: client(), bucket: 'leases', path: randomUUID() })
    const lease = await leaser.acquire()
    await leaser.release(await leaser.renew(lease))
    expect(await leaser.inspect()).toMatchObject({ held: false })
  })

  test('is gone, and not held, if somebody deleted the object', async () => {
    const at = place()
    const leaser = await createS3Leaser({
      client: client(),
      bucket: 'leases',
      path: String(at['path']),
    })
    const lease = await leaser.acquire()
    server.objects.delete(keyOf(at))
    expect(await refusalOf(leaser.renew(lease))).toMatchObject({ code: 'ERR_LEASE_NOT_HELD' })
  })

  test('says that a bucket does not exist instead of trying on', async () => {
    const leaser = await createS3Leaser({ client: client(), bucket: 'nobodys' })
    expect(await refusalOf(leaser.acquire())).toMatchObject({ code: 'ERR_LEASE_STORE' })
  })
})

// A real store, if there is one: HOWDAH_TEST_S3_BUCKET, and the SDK's own AWS_* variables.
const bucket = process.env['HOWDAH_TEST_S3_BUCKET']

describe.skipIf(bucket === undefined)('a lease in the S3 that the environment names', () => {
  test('is acquired by one of many, and handed on', async () => {
    const endpoint = process.env['HOWDAH_TEST_S3_ENDPOINT']
    const path = `howdah-test/${randomUUID()}`
    const options = { bucket: bucket ?? '', path, ...(endpoint === undefined ? {} : { endpoint }) }
    const leasers = await Promise.all(Array.from({ length: 8 }, () => createS3Leaser(options)))
    const results = await Promise.allSettled(leasers.map((leaser) => leaser.acquire()))
    const won = results.flatMap((result, index) =>
      result.status === 'fulfilled' ? [{ lease: result.value, leaser: leasers[index]! }] : [],
    )
    expect(won).toHaveLength(1)
    const [{ lease, leaser }] = won as [(typeof won)[0]]
    await leaser.release(await leaser.renew(lease))
    const next = await leaser.acquire()
    expect(next.generation).toBe(lease.generation + 1n)
    await leaser.release(next)
  })
})
