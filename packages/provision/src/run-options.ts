import { resolve } from 'node:path'
import type { RunOptions } from '@howdah/cluster'
import { placeOfSetting, type TcpSettings } from '@howdah/project'
import { type Asked, baseOf } from './asked.ts'
import { readSecret } from './secret.ts'
import { firstDatabase } from './wanted.ts'

/** How the settings of a project ask for its cluster to be run. What they do not ask for is missing. */
export interface AskedRun extends Pick<
  RunOptions,
  'database' | 'linger' | 'locale' | 'mode' | 'settings' | 'tcp' | 'tls' | 'user'
> {
  /** The constraint of the runtime, as text. */
  readonly runtime?: string
  /** Names the setting that asks for it. */
  readonly runtimePlace?: () => string
}

/**
 * The options that the settings ask for. `sharesPorts`: another cluster may have the same settings at the same time, so that
 * a port in them means any free port.
 */
export function runOptionsOf(
  asked: Asked,
  { sharesPorts }: { readonly sharesPorts: boolean },
): AskedRun {
  const { version, user, locale, settings, linger, mode } = asked.settings
  const tcp = tcpOf(asked)
  const port = sharesPorts ? undefined : tcp?.port
  const all = {
    ...(version !== undefined && {
      runtime: runtimeOf(asked, String(version)),
      runtimePlace: () => placeOfSetting(asked.path, 'version'),
    }),
    user,
    locale,
    database: firstDatabase(asked),
    settings: settings && Object.fromEntries(Object.entries(settings).map(settingOf)),
    tcp: tcp === null ? undefined : (port ?? true),
    tls: tcp?.tls,
    linger: linger === undefined ? undefined : linger * 1000,
    mode,
  }
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined))
}

/** The password over TCP that the settings ask for; `undefined` if they ask for none. Throws `ERR_PROVISION_SECRET`. */
export function tcpPasswordOf(asked: Asked, env: NodeJS.ProcessEnv): string | undefined {
  const source = tcpOf(asked)?.password
  return source === undefined ? undefined : readSecret(asked, 'tcp.password', source, env)
}

function tcpOf({ settings: { tcp = false } }: Asked): TcpSettings | null {
  if (tcp === false) return null
  if (tcp === true) return {}
  return typeof tcp === 'number' ? { port: tcp } : tcp
}

function runtimeOf(asked: Asked, version: string): string {
  return version.includes('/') ? resolve(baseOf(asked), version) : version
}

function settingOf([name, value]: [string, string | number | boolean]): [string, string] {
  if (typeof value === 'boolean') return [name, value ? 'on' : 'off']
  return [name, String(value)]
}
