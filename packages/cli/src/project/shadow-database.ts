import type { Session } from '@howdah/cluster'
import { currentProcess, identifyProcess } from '@howdah/lock'

const prefix = 'howdah-shadow-'

/** A database for the time of one command, such as the one that Prisma applies migrations to in order to compare schemas. */
export interface ShadowDatabase {
  readonly name: string
  /** Drops it. Never rejects: what is still connected to keeps it, and the next shadow database sees to it. */
  drop(): Promise<void>
}

/** Makes an empty database that bears this process's name, and drops those of processes that have ended without it. */
export async function makeShadowDatabase(session: Session): Promise<ShadowDatabase> {
  const { pid, startTime } = currentProcess()
  const name = `${prefix}${pid}-${startTime}`
  for (const other of await session.databases()) {
    if (isLeft(other)) await session.dropDatabase(other).catch(() => undefined)
  }
  await session.createDatabase(name)
  return { name, drop: async () => void (await session.dropDatabase(name).catch(() => undefined)) }
}

/** Whether it is the shadow database of a process that has ended. */
function isLeft(name: string): boolean {
  const [, pid, startTime] = /^howdah-shadow-(\d+)-(\w+)$/.exec(name) ?? []
  return pid !== undefined && identifyProcess(Number(pid))?.startTime !== startTime
}
