import { randomBytes } from 'node:crypto'
import type { Session } from '@howdah/cluster'
import type pg from 'pg'
import { Client, escapeIdentifier } from 'pg'

/** A role and a database of it. */
export interface Login {
  readonly username: string
  readonly password: string
  readonly database: string
}

/**
 * Gives the bootstrap superuser of a new cluster, which owns the catalogs and cannot be dropped, another name and a password, and
 * makes a database of it, as Docker's image does. initdb takes no name with a double quote, so the role is renamed. The name that howdah connects by becomes that of a second superuser.
 */
export async function asBootstrapRole(session: Session, login: Login): Promise<void> {
  const { username, password, database } = login
  const { user, password: ours } = session.address
  const connect = async (as: string, by: string) => {
    const client = new Client({ ...session.clientOptions('postgres'), user: as, password: by })
    await client.connect()
    return closing(client)
  }
  const setPassword = async ({ client }: Closing, role: string, to: string) =>
    await client.query(`ALTER ROLE ${escapeIdentifier(role)} PASSWORD ${client.escapeLiteral(to)}`)
  if (username !== user) {
    // Nobody can rename the role that they are connected as.
    const helper = `howdah_${randomBytes(6).toString('hex')}`
    await using own = closing(await session.connect('postgres'))
    await own.client.query(
      `CREATE ROLE ${escapeIdentifier(helper)} SUPERUSER LOGIN PASSWORD '${helper}'`,
    )
    await own.client.end()
    await using second = await connect(helper, helper)
    await second.client.query(
      `ALTER ROLE ${escapeIdentifier(user)} RENAME TO ${escapeIdentifier(username)}`,
    )
    await setPassword(second, username, password)
    await second.client.end()
    await using renamed = await connect(username, password)
    await renamed.client.query(
      `ALTER ROLE ${escapeIdentifier(helper)} RENAME TO ${escapeIdentifier(user)}`,
    )
    if (ours !== null) await setPassword(renamed, user, ours)
  } else {
    await using own = closing(await session.connect('postgres'))
    await setPassword(own, user, password)
  }
  if (database === 'postgres') return
  await using renamed = await connect(username, password)
  await renamed.client.query(`CREATE DATABASE ${escapeIdentifier(database)}`)
}

interface Closing extends AsyncDisposable {
  readonly client: pg.Client
}

function closing(client: pg.Client): Closing {
  return { client, [Symbol.asyncDispose]: async () => await client.end().catch(() => undefined) }
}
