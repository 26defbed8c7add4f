import { ClusterError } from '@howdah/data-directory'
import type { Address } from './address.ts'
import { baseUrl, connectionUrl } from './connection-url.ts'

/** The words that may be in braces. */
const names = [
  ...(['url', 'base', 'host', 'port', 'user', 'password', 'database', 'dataDir'] as const),
  'authority',
] as const
type Name = (typeof names)[number]

/** The values for a template. */
export interface Filling {
  readonly dataDir: string
  readonly address: Address
  readonly database: string
}

/**
 * Fills in a text with words in braces, such as `{host}:{port}`, by the address of a server. See `Server.fill`.
 *
 * Throws `ERR_CLUSTER_INVALID_TEMPLATE` for another word, and for `{base}` if the server has no TCP.
 */
export function fillTemplate(template: string, filling: Filling): string {
  return template.replaceAll(/\{([A-Za-z]+)\}/g, (whole, name: string) => {
    if (isName(name)) return valueOf(name, filling)
    const known = names.map((one) => `{${one}}`).join(', ')
    throw invalid(filling.dataDir, `there is no ${whole} to fill in; there are ${known}`)
  })
}

function isName(text: string): text is Name {
  return names.some((name) => name === text)
}

function valueOf(name: Name, { dataDir, address, database }: Filling): string {
  switch (name) {
    case 'url':
      return connectionUrl(address, database)
    case 'base':
      if (address.host.startsWith('/')) {
        const why = 'a database cannot be appended to the URL of a socket, as {base} is for'
        throw invalid(dataDir, `${why}; use {url}, or TCP`)
      }
      return baseUrl(address)
    case 'database':
      return database
    case 'dataDir':
      return dataDir
    case 'host':
    case 'port':
    case 'user':
    case 'password':
    case 'authority':
    default:
      return String(address[name] ?? '')
  }
}

function invalid(dataDir: string, message: string): ClusterError {
  return new ClusterError('ERR_CLUSTER_INVALID_TEMPLATE', dataDir, message)
}
