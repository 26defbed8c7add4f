import { seededRandom, times } from '@howdah/fixtures'
import { expect, test } from 'vitest'
import { Registry, RegistryError, type Allocation, type ScopeRule } from '../src/index.ts'
import { ownerOf } from '../src/scopes/ownership.ts'
import { fastDirectory } from './support/fast-directory.ts'
import { OwnerModel } from './support/owner-model.ts'
import { People } from './support/people.ts'

const steps = times(2_000, 10_000)

const verdicts = [
  'register done',
  'register ERR_REGISTRY_DUPLICATE',
  'register ERR_REGISTRY_SEGMENT_HELD',
  'register ERR_REGISTRY_CONFLICT',
  'delegate done',
  'delegate ERR_REGISTRY_UNKNOWN_PARENT',
  'delegate ERR_REGISTRY_NOT_A_SUBSET',
  'delegate ERR_REGISTRY_CONFLICT',
  'adopt done',
  'adopt ERR_REGISTRY_NOT_RESERVED',
  'release true',
  'release false',
]

test(
  `${steps} or more random steps give the verdicts and owners of a model that looks at every path`,
  { tags: 'property', timeout: 300_000 },
  async () => {
    using directory = fastDirectory()
    const root = directory.file('tree')
    const random = seededRandom(20)
    const people = new People()
    const registry = new Registry({
      path: directory.file('registry.json'),
      durable: false,
      probe: people.probe,
    })
    const model = new OwnerModel(root, ['a', 'b', 'other'], 4)
    const names = ['n1', 'n2', 'n3', 'n4', 'n5', 'n6']
    const tokens = new Map<string, string>()
    const counts = new Map<string, number>()

    const rule = (): ScopeRule => ({
      target: [
        root,
        ...Array.from({ length: random.below(3) }, () => random.pick(['a', 'b'])),
      ].join('/'),
      permission: random.below(10) === 0 ? 'read' : 'write',
      recursive: random.below(2) === 0,
    })
    const rules = (most: number): ScopeRule[] =>
      Array.from({ length: random.below(most + 1) }, rule)
    const segment = () => (random.below(4) === 0 ? random.below(4) : undefined)
    const taken = () =>
      random.pick(model.members.length > 0 ? model.members.map(({ name }) => name) : names)

    const perform: Record<string, () => Promise<[string, string]>> = {
      register: async () => {
        const name = random.pick(names)
        const process = people.born()
        const options = { allow: rules(2), deny: rules(2), segmentId: segment(), process }
        const said = await verdict(() => registry.register(name, options))
        return [
          said,
          model.register({
            ...options,
            name,
            pid: process.pid,
            parent: undefined,
            reserved: false,
          }),
        ]
      },
      delegate: async () => {
        const parent = random.below(8) === 0 ? random.pick(names) : taken()
        const name = random.pick(names)
        const process = people.born()
        // The rules are usually narrower than the parent's, because nearly all others would be refused.
        const inherited = model.find(parent)?.deny ?? []
        const deny = random.below(3) === 0 ? rules(2) : [...inherited, ...rules(1)]
        // Sometimes they are rules that the parent may have given to another child.
        const allow = random.below(3) === 0 ? (model.find(parent)?.allow ?? []) : rules(2)
        const options = { allow, deny, segmentId: segment(), process }
        const said = await verdict(() => registry.delegate(parent, name, options))
        return [
          said,
          model.delegate({ ...options, name, pid: process.pid, parent, reserved: true }),
        ]
      },
      adopt: async () => {
        const name = random.below(8) === 0 ? random.pick(names) : taken()
        const process = people.born()
        const segmentId = segment()
        const said = await verdict(() =>
          registry.adopt(name, tokens.get(name) ?? '', { process, segmentId }),
        )
        return [said, model.adopt(name, process.pid, segmentId)]
      },
      release: async () => {
        const name = random.below(8) === 0 ? random.pick(names) : taken()
        const there = model.find(name) !== undefined
        const said = String(await registry.release(name, tokens.get(name) ?? ''))
        model.remove((member) => member.name === name)
        return [said, String(there)]
      },
      crash: async () => {
        const dead = new Set(
          model.members.flatMap(({ pid }) => (random.below(3) === 0 ? [pid] : [])),
        )
        people.kill(...dead)
        model.remove(({ pid }) => dead.has(pid))
        return ['done', 'done']
      },
    }
    const actions = [
      'register',
      'register',
      'delegate',
      'delegate',
      'delegate',
      'adopt',
      'release',
      'crash',
    ]

    // It goes on until every verdict has come up, so that their agreement means something.
    const unheard = () => verdicts.filter((one) => !counts.has(one))
    for (let step = 0; step < steps || (unheard().length > 0 && step < 4 * steps); step++) {
      const action = random.pick(actions)
      const [said, expected] = await perform[action]!()
      const place = `step ${step}, ${action}`
      expect(`${place}: ${said}`).toBe(`${place}: ${expected}`)
      counts.set(`${action} ${said}`, (counts.get(`${action} ${said}`) ?? 0) + 1)

      const all = await registry.list()
      for (const { name, token } of all) tokens.set(name, token)
      expect(members(all)).toEqual(members(model.members))
      for (const path of model.paths) {
        const owners = model.owners(path)
        // Calling a matcher for each of a million comparisons would take minutes.
        if (owners.length > 1) throw new Error(`${place}: ${owners.join(' and ')} own ${path}`)
        const owner = ownerOf({ path, below: 0 }, all)?.name
        if (owner !== owners[0])
          throw new Error(`${place}: ${owner} owns ${path}, not ${owners[0]}`)
      }
    }
    expect(unheard()).toEqual([])
  },
)

async function verdict(action: () => Promise<unknown>): Promise<string> {
  try {
    await action()
    return 'done'
  } catch (error) {
    if (error instanceof RegistryError) return error.code
    throw error
  }
}

/** The parent and the segment of each allocation. */
function members(
  all: readonly (Pick<Allocation, 'name' | 'pid'> & {
    delegatedFrom?: string | undefined
    parent?: string | undefined
    segmentId?: number | undefined
  })[],
): string[] {
  return all
    .map(({ name, pid, delegatedFrom, parent, segmentId }) =>
      [name, pid, delegatedFrom ?? parent ?? '-', segmentId ?? '-'].join(' '),
    )
    .toSorted()
}
