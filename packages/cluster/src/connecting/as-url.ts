import { ClusterError } from '@howdah/data-directory'
import { invokingUser } from '../creating/create.ts'

/** The role and the database that clients use. The other options take precedence over `as`. */
export interface AsOptions {
  /**
   * The URL by which a project's code connects, such as `postgresql://postgres:postgres@localhost:5432/app`: the server gets
   * that port, that superuser with that password, and that database, and with `sslmode=require` or more a certificate.
   * Without a port it is 5432, without a user the operating system's, without a database that of the user's name, and without
   * a host there is only the socket.
   */
  as?: string | URL | undefined
  /**
   * The name of the superuser of a cluster that this call creates. An existing cluster must have a superuser of that name.
   */
  user?: string | undefined
  /** Sets the superuser's password over TCP; by default a generated one. */
  password?: string | undefined
}

/** The parts of a URL, as options of `run`. */
interface Asked {
  readonly user: string
  readonly password: string | undefined
  readonly database: string
  readonly tcp: number | false
  readonly tls: true | undefined
  /** Parameters of the URL for the client itself, such as Prisma's `schema`. */
  readonly parameters: string
}

/** Replaces the option `as` by its parts. Options that are given separately stay. Throws as `readUrl` does. */
export function takeApart<
  Options extends AsOptions & {
    tcp?: boolean | number | undefined
    tls?: boolean | undefined
    database?: string | undefined
    parameters?: string | undefined
  },
>(dataDir: string, options: Options): Options {
  const { as, ...given } = options
  if (as === undefined) return options
  const { tcp: port, ...asked } = readUrl(dataDir, String(as))
  const named = Object.entries(given).filter(([, value]) => value !== undefined)
  const tcp = typeof given.tcp === 'number' || port === false ? (given.tcp ?? false) : port
  return { ...asked, ...Object.fromEntries(named), tcp } as Options
}

/** The values of `sslmode` with which a client refuses a server without TLS. */
const insisting = new Set(['require', 'verify-ca', 'verify-full'])

/** The names of this machine, whatever they resolve to. */
const here = new Set(['localhost', '127.0.0.1', '::1'])

const shape =
  /^postgres(?:ql)?:\/\/(?:([^/?]*)@)?(\[[^\]]*\]|[^/?:@]*)(?::([^/?]*))?(?:\/([^?]*))?(?:\?(.*))?$/s

/**
 * Parses a URL. Throws `ERR_CLUSTER_INVALID_URL`; the message does not contain the password. Source: "Connection URIs" in
 * the chapter on libpq.
 */
function readUrl(dataDir: string, url: string): Asked {
  const refuse = (why: string) => new ClusterError('ERR_CLUSTER_INVALID_URL', dataDir, why)
  const match = shape.exec(url)
  if (match === null) {
    throw refuse(
      'the URL to be reached by is not one of PostgreSQL; write it as postgresql://user:password@localhost:5432/database',
    )
  }
  const decode = (text: string, what: string): string => {
    try {
      const decoded = decodeURIComponent(text)
      if (!decoded.includes('\0')) return decoded
    } catch {
      // Reported below.
    }
    throw refuse(
      `the ${what} of the URL to be reached by is not percent-encoded text; write %25 for a "%"`,
    )
  }
  const [, login = '', address = '', digits = '', path = '', query = ''] = match
  const colon = login.indexOf(':')
  const [name, secret] =
    colon === -1 ? [login, ''] : [login.slice(0, colon), login.slice(colon + 1)]
  const parameters = new URLSearchParams(query)
  // libpq accepts each of these as a parameter, too, and the parameter takes precedence.
  const part = (key: string, text: string): string => {
    const value = parameters.get(key)
    parameters.delete(key)
    return value ?? text
  }
  const host = part('host', decode(address, 'host').replaceAll(/^\[|\]$/g, ''))
  const isSocket = host === '' || host.startsWith('/')
  if (!isSocket && !here.has(host)) {
    throw refuse(
      `the URL to be reached by names the host "${host}", and the server runs on this machine; write localhost`,
    )
  }
  const port = part('port', digits) || '5432'
  if (!/^\d{1,5}$/.test(port) || Number(port) < 1 || Number(port) > 65_535)
    throw refuse(`the URL to be reached by has no port that is one of 1 to 65535: "${port}"`)
  const ssl = parameters.get('sslmode') ?? 'disable'
  const isKnown = ['disable', 'allow', 'prefer', ...insisting].includes(ssl)
  if (!isKnown) throw refuse(`the URL to be reached by has no sslmode that libpq knows: "${ssl}"`)
  parameters.delete('sslmode')
  parameters.delete('sslrootcert')
  const user = part('user', decode(name, 'user')) || invokingUser()
  const password = part('password', decode(secret, 'password'))
  return {
    user,
    password: password === '' ? undefined : password,
    database: part('dbname', decode(path, 'database')) || user,
    tcp: isSocket ? false : Number(port),
    tls: !isSocket && insisting.has(ssl) ? true : undefined,
    parameters: parameters.toString(),
  }
}
