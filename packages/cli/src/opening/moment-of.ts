import type { Moment } from '@howdah/backup'
import { misused } from '../errors.ts'

/** The moment that `--time` gives to a command. Throws if it is not a time with a time zone. */
export async function momentOf(command: string, time: string): Promise<Moment> {
  const { parseMoment } = await import('@howdah/backup')
  const moment = parseMoment(time)
  if (moment !== null) return moment
  throw misused(
    `${command}: --time ${time} is not a time with a time zone; write it as 2026-03-01T12:00:00Z, or +02:00 instead of Z`,
  )
}
