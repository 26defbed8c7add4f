import type { Listed } from '../server/administrator.ts'
import type { Workplace } from '../workplace.ts'
import { drop } from './drop.ts'

/** How long an unused database is kept for other processes with the same template, in seconds. */
const freshness = 60
/** How many templates of a project are kept: the ones that were used last. */
const templatesKept = 8
/** How long an unused template is kept, in seconds. */
const templateAge = 14 * 24 * 3600

/** The limits of a sweep. */
interface Sweeping {
  /** The templates that this process uses. */
  readonly templates: readonly string[]
  readonly project: string
  /** Whether to drop databases that others could still use. */
  readonly all: boolean
}

/**
 * Drops what ended processes have left on the server: databases without an owner, half-made templates, and old templates. An
 * owner holds an advisory lock, whatever its host is. Gives the names of the dropped databases.
 */
export async function sweep(place: Workplace, sweeping: Sweeping): Promise<string[]> {
  const { administrator, maker, server } = place
  const listed = await administrator.list()
  const now = administrator.now()
  const candidates = new Map(
    [
      ...listed.filter((one) => isLeft(one, sweeping, now)),
      ...oldTemplates(listed, sweeping, now),
    ].map((one) => [one.name, one]),
  )
  const dropped: string[] = []
  for (const name of await administrator.take([...candidates.keys()])) {
    try {
      if (maker.isObstructed) continue
      // It may have been marked as kept, or finished, before we took its lock.
      const found = await administrator.find(name)
      const hasChanged = found?.isFinished !== candidates.get(name)?.isFinished
      if (found === null || hasChanged || found.label?.kind === 'kept') continue
      const { version } = administrator.facts
      const isDropped = await maker.drop(async (client) => {
        await drop(client, server, found, version)
        return true
      })
      if (isDropped === true) dropped.push(name)
    } catch {
      // For example, another role's connections are in the way. The next sweep tries again.
    } finally {
      await administrator.free([name])
    }
  }
  return dropped
}

/** Whether it is a copy of this template that nobody has used. */
function isUnused({ label, isInvalid }: Listed, template: string): boolean {
  return label?.kind === 'ready' && label.template === template && !isInvalid
}

/** Takes over at most so many unused databases of ended processes. */
export async function adopt(
  { administrator }: Workplace,
  template: string,
  most: number,
): Promise<string[]> {
  const isOurs = (one: Listed) => isUnused(one, template)
  if (most === 0) return []
  const left = administrator.atFirst.filter(isOurs)
  if (left.length === 0) return []
  const candidates = left.slice(0, 2 * most).map(({ name }) => name)
  const taken = await administrator.takeListed(candidates)
  // A database may have been taken, used and given up since it was listed.
  const good = taken.filter(isOurs).slice(0, most)
  const others = candidates.filter(
    (name) => administrator.owns(name) && !good.some((one) => one.name === name),
  )
  await administrator.free(others)
  return good.map(({ name }) => name)
}

function isLeft({ kind, label, isFinished }: Listed, { all }: Sweeping, now: number): boolean {
  if (kind === 'template' && isFinished) return false
  if (label?.kind === 'kept') return false
  const isFresh = (label?.at ?? 0) > now - freshness
  // The message of a failure is kept for waiting processes.
  if (label?.kind === 'ready' || label?.kind === 'failed') return all || !isFresh
  return true
}

function oldTemplates(listed: readonly Listed[], sweeping: Sweeping, now: number): Listed[] {
  const finished = listed.filter(
    ({ kind, isFinished, name }) =>
      kind === 'template' && isFinished && !sweeping.templates.includes(name),
  )
  const lastUse = ({ label }: Listed) => label?.at ?? 0
  const ofProject = finished
    .filter(({ label }) => label?.project === sweeping.project)
    .toSorted((one, other) => lastUse(other) - lastUse(one))
    .slice(templatesKept)
  return [...new Set([...ofProject, ...finished.filter((one) => isOld(one, now))])]
}

function isOld({ label }: Listed, now: number): boolean {
  return (label?.at ?? 0) < now - templateAge
}
