import type { Address } from './address.ts'

/**
 * A connection as a URL that libpq and the drivers of Node understand; see {@link Server.url}.
 *
 * The database's name is the path. There a character that RFC 3986 allows in a path stands for itself, `/` too, and only
 * the others are percent-encoded: node-postgres decodes these alone, as `decodeURI` does, and postgres.js decodes none.
 */
export function connectionUrl(address: Address, database: string): string {
  const { host, port, user, password, parameters = '' } = address
  const encode = encodeURIComponent
  const name = encode(user) + (password === null ? '' : `:${encode(password)}`)
  const path = encodeURI(database).replaceAll(/[?#]/g, encode)
  const isSocket = host.startsWith('/')
  const place = isSocket ? 'localhost' : host.includes(':') ? `[${host}]` : host
  const ours = isSocket ? `host=${encode(host)}` : isPlain(address) ? 'sslmode=disable' : ''
  const query = [ours, parameters].filter((part) => part !== '').join('&')
  return `postgresql://${name}@${place}:${port}/${path}${query && `?${query}`}`
}

/** Whether clients reach it over TCP, and cannot have SSL. */
export function isPlain({ host, ssl = false }: Address): boolean {
  return !host.startsWith('/') && !ssl
}
