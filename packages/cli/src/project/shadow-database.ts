import type { Session } from '@howdah/cluster'
import { currentProcess, liveness } from '@howdah/lock'

const prefix = 'howdah-shadow-'

/** A database that exists during one command. Prisma, for example, applies migrations to it to compare schemas. */
export interface ShadowDatabase {
  readonly name: string
  /** Drops the database. Never rejects: if it still has connections, it stays, and the next shadow database drops it. */
  drop(): Promise<void>
}

/** Makes an empty database, named after this process. Drops the shadow databases that ended processes left. */
export async function makeShadowDatabase(session: Session): Promise<ShadowDatabase> {
  const { pid, startTime } = currentProcess()
  const name = `${prefix}${pid}-${startTime}`
  for (const other of await session.databases()) {
    if (isLeft(other)) await session.dropDatabase(other).catch(() => undefined)
  }
  await session.createDatabase(name)
  return { name, drop: async () => void (await session.dropDatabase(name).catch(() => undefined)) }
}

/** Whether a database is the shadow database of a process that has ended. */
function isLeft(name: string): boolean {
  const [, pid, startTime = ''] = /^howdah-shadow-(\d+)-(.+)$/.exec(name) ?? []
  const process = { pid: Number(pid), startTime, bootId: null, pidNamespace: null }
  return pid !== undefined && liveness(process) === 'dead'
}
