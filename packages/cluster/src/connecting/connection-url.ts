import type { Address } from './address.ts'

/**
 * The URL of a connection that libpq and the drivers of Node understand; see {@link Server.url}.
 *
 * The database's name is the path. Characters that RFC 3986 allows in a path, also `/`, are not encoded; the others are
 * percent-encoded. node-postgres decodes only those, as `decodeURI` does, and postgres.js decodes none.
 */
export function connectionUrl(address: Address, database: string): string {
  const path = encodeURI(database).replaceAll(/[?#]/g, encode)
  const query = [howToConnect(address), address.parameters ?? '']
    .filter((part) => part !== '')
    .join('&')
  return `${baseUrl(address)}/${path}${query && `?${query}`}`
}

/** The URL without a database and without a query. */
export function baseUrl({ host, port, user, password }: Address): string {
  const name = encode(user) + (password === null ? '' : `:${encode(password)}`)
  const place = host.startsWith('/') ? 'localhost' : host.includes(':') ? `[${host}]` : host
  return `postgresql://${name}@${place}:${port}`
}

const encode = encodeURIComponent

function howToConnect(address: Address): string {
  const { host, authority } = address
  if (host.startsWith('/')) return `host=${encode(host)}`
  if (authority !== undefined) return `sslmode=verify-full&sslrootcert=${encode(authority)}`
  return isPlain(address) ? 'sslmode=disable' : ''
}

/** Whether clients reach the server over TCP without SSL. */
export function isPlain({ host, ssl = false }: Address): boolean {
  return !host.startsWith('/') && !ssl
}
