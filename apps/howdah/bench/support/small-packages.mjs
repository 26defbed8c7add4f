// Store and registry, beside a peer that does the same with files.
import { mkdtempSync } from 'node:fs'
import { join } from 'node:path'
import { Times } from '../../../../packages/cluster/bench/support/times.mjs'
import { row } from './figures.mjs'

/** How long each runs in a round, in seconds. */
const turn = 0.3

export async function store({ place, rounds }) {
  const { fill, grownDocument, ours, peer, state } =
    await import('../../../../packages/store/bench/candidates.mjs')
  const { rate } = await import('../../../../packages/store/bench/measure.mjs')
  const times = new Times()
  const actions = []
  const add = async (name, make) => {
    for (const candidate of [ours, peer]) {
      const directory = mkdtempSync(join(place.disk, 'store-'))
      const action = await make(candidate, directory)
      const who = candidate === ours ? 'howdah' : 'peer'
      actions.push(async () => times.note(`${who} ${name}`, (await rate(action, turn)).median))
    }
  }
  for (const fsync of [false, true]) {
    await add(`document ${fsync}`, (candidate, directory) => {
      const document = candidate.document(directory, fsync)
      return (n) => document.transform((value) => void (value.items = [state(n)]))
    })
    await add(`entry ${fsync}`, async (candidate, directory) => {
      const entries = await candidate.entries(directory, fsync)
      return (n) => entries.save(n)
    })
  }
  await add('grown', async (candidate, directory) => grownDocument(candidate, directory, 10_000))
  await add('list', async (candidate, directory) => {
    const entries = await candidate.entries(directory, false)
    await fill(entries, 10_000)
    return () => entries.list()
  })
  for (let round = 0; round < rounds; round += 1) for (const action of actions) await action()
  const perSecond = (name, before) => {
    const [now, other] = ['howdah', 'peer'].map((who) => 1000 / times.median(`${who} ${name}`))
    return { before, now, beside: { peer: other }, goal: 'ahead of it', unit: '/s' }
  }
  const inMs = (name) => ({
    now: times.median(`howdah ${name}`),
    beside: { peer: times.median(`peer ${name}`) },
  })
  return [
    row(
      'store: a document transformed, without fsync',
      perSecond('document false', '160/s, peer 225'),
    ),
    row('store: a document transformed, with fsync', perSecond('document true')),
    row('store: an entry saved, without fsync', perSecond('entry false')),
    row('store: an entry saved, with fsync', perSecond('entry true')),
    row('store: a document of 10,000 items transformed', { ...inMs('grown'), goal: 'ahead of it' }),
    row('store: 10,000 entries listed', { before: '612 ms, peer 282', ...inMs('list'), goal: 150 }),
  ]
}

export async function registry({ place, rounds }) {
  const { filledRegistry, registerAndRelease } =
    await import('../../../../packages/registry/bench/support/filled-registry.mjs')
  const { rate } = await import('../../../../packages/store/bench/measure.mjs')
  const rows = []
  for (const [size, before, goal] of [
    [10, 17, 5],
    [1_000, 66, 10],
    [10_000, 341, '–'],
  ]) {
    const times = new Times()
    const filled = await filledRegistry(mkdtempSync(join(place.disk, 'registry-')), size, false)
    for (let round = 0; round < rounds; round += 1) {
      const action = async (n) => await registerAndRelease(filled, n)
      times.note('howdah', (await rate(action, turn)).median)
    }
    const what = `registry: register and release beside ${size.toLocaleString('en')} allocations`
    rows.push(row(what, { before, now: times.median('howdah'), goal }))
  }
  return rows
}
