import { createFailed } from '../errors.ts'

/**
 * The first major version in which `initdb` has each provider of locales:
 * https://www.postgresql.org/docs/18/app-initdb.html.
 */
const providers: Readonly<Record<string, number>> = { icu: 15, builtin: 17 }

/**
 * The arguments of `initdb` for a locale: one of the operating system, such as `en_US.UTF-8`; one of ICU, such as
 * `icu:en-US`; or one of PostgreSQL's own, such as `builtin:C.UTF-8`. Messages stay in English, because howdah reads the
 * server's log.
 */
export function localeArguments(dataDir: string, locale: string, major: number): string[] {
  const [, provider = '', name = ''] = /^(icu|builtin):(.*)$/.exec(locale) ?? []
  if (provider === '')
    return locale === 'C' ? ['--locale', 'C'] : ['--locale', locale, '--lc-messages', 'C']
  const first = providers[provider] ?? 0
  if (major < first) {
    const why = `the locale ${locale} takes PostgreSQL ${first} or later, and this is ${major}`
    throw createFailed(
      dataDir,
      `${why}; choose a later one, or one of the operating system's locales`,
    )
  }
  return ['--locale', 'C', '--locale-provider', provider, `--${provider}-locale`, name]
}
