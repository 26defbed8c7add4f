import { postgres, type Server } from '@howdah/cluster'
import { asking } from '../source.ts'
import { type Facts, isOurs } from './facts.ts'

/** Tells what stays in the old cluster, though it is none of its data, and what is to be turned on again. */
export async function tellUncarried(
  source: Server,
  { databases }: Facts,
  tell: (notice: string) => void,
): Promise<void> {
  const left = databases.filter((one) => isOurs(one) || one.isInvalid)
  if (left.length > 0)
    tell(
      `snapshots, and what was dropped or made for tests, stay in the old cluster: ${left.map(({ name }) => name).join(', ')}`,
    )
  await asking(source, postgres, async (client) => {
    const namesOf = async (sql: string) => {
      const { rows } = await client.query<{ name: string }>(sql)
      return rows.map(({ name }) => name).join(', ')
    }
    const slots = await namesOf(
      'SELECT slot_name AS name FROM pg_catalog.pg_replication_slots ORDER BY 1',
    )
    if (slots !== '') tell(`replication slots stay in the old cluster: ${slots}`)
    const subscriptions = await namesOf(
      'SELECT subname AS name FROM pg_catalog.pg_subscription ORDER BY 1',
    )
    if (subscriptions !== '')
      tell(`subscriptions are disabled until they are enabled again: ${subscriptions}`)
  })
}
