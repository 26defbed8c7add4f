import { appendFileSync, readFileSync, statSync, truncateSync } from 'node:fs'
import { temporaryDirectory, type TemporaryDirectory } from '@howdah/fixtures'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Cluster, type Session, type SettingValue } from '../../src/index.ts'
import { newest, somePostgres } from '@howdah/postgres-fixtures'

describe.each(somePostgres)('the settings of a cluster on $name', ({ major, strategy }) => {
  let home: TemporaryDirectory
  let cluster: Cluster
  let db: Session
  beforeAll(async () => {
    home = temporaryDirectory()
    cluster = new Cluster(home.file('data'), { strategy })
    db = await cluster.run({ settings: { 'howdah.given': 'here' } })
  })
  afterAll(async () => {
    await db?.leave()
    home[Symbol.dispose]()
  })

  /** What a new connection finds. */
  async function shown(name: string): Promise<string> {
    const client = await db.connect()
    const { rows } = await client.query('SELECT current_setting($1) AS value', [name])
    await client.end()
    return (rows as { value: string }[])[0]?.value ?? ''
  }

  it.each([
    ['fsync', { kind: 'boolean', value: true, text: 'on' }],
    ['shared_buffers', { kind: 'memory', bytes: 134_217_728, unit: '8kB', needsRestart: true }],
    ['WORK_MEM', { kind: 'memory', bytes: 4_194_304, name: 'work_mem', context: 'user' }],
    ['max_wal_size', { kind: 'memory', bytes: 1_073_741_824, unit: 'MB' }],
    ['authentication_timeout', { kind: 'time', ms: 60_000, unit: 's', context: 'sighup' }],
    ['checkpoint_timeout', { kind: 'time', ms: 300_000, text: '5min' }],
    ['deadlock_timeout', { kind: 'time', ms: 1000, minimum: '1', maximum: '2147483647' }],
    ['log_rotation_age', { kind: 'time', ms: 86_400_000, unit: 'min', text: '1d' }],
    ['autovacuum_work_mem', { kind: 'memory', bytes: -1 }],
    ['log_min_duration_statement', { kind: 'time', ms: -1 }],
    ['max_connections', { kind: 'number', value: 100, unit: null }],
    ['random_page_cost', { kind: 'number', value: 4, default: '4' }],
    ['unix_socket_permissions', { kind: 'number', value: 0o700, source: 'command line' }],
    ['wal_level', { kind: 'enum', value: 'replica' }],
    ['search_path', { kind: 'list', value: ['$user', 'public'] }],
    ['shared_preload_libraries', { kind: 'list', value: [] }],
    ['TimeZone', { kind: 'string', source: 'configuration file' }],
    ['server_version_num', { kind: 'number', context: 'internal', file: null }],
    ['howdah.given', { kind: 'string', value: 'here' }],
  ])('gets %s', async (name, found) => {
    expect(await db.settings.get(name)).toMatchObject(found)
  })

  it('lists them all, or some', async () => {
    const all = await db.settings.list()
    expect(all.length).toBeGreaterThan(250)
    expect(all.map(({ name }) => name)).toEqual(expect.arrayContaining(['DateStyle', 'work_mem']))
    const kinds = new Set(all.map(({ kind }) => kind))
    expect([...kinds].toSorted()).toEqual([
      'boolean',
      'enum',
      'list',
      'memory',
      'number',
      'string',
      'time',
    ])
    const names = async (pattern: string) =>
      (await db.settings.list(pattern)).map(({ name }) => name)
    expect(await names('WORK_mem')).toEqual(
      expect.arrayContaining(['autovacuum_work_mem', 'maintenance_work_mem', 'work_mem']),
    )
    expect(await names('work*')).toEqual(['work_mem'])
    expect(await names('a.c')).toEqual([])
  })

  it.each<[string, SettingValue, string]>([
    ['work_mem', '64MB', '64MB'],
    ['work_mem', 128, '128kB'],
    ['work_mem', { bytes: 5 * 1024 * 1024 }, '5MB'],
    ['statement_timeout', { ms: 90_000 }, '90s'],
    ['log_min_duration_statement', { ms: -1 }, '-1'],
    ['autovacuum_work_mem', { bytes: -1 }, '-1'],
    ['random_page_cost', 1.5, '1.5'],
    ['enable_seqscan', false, 'off'],
    ['enable_seqscan', true, 'on'],
    ['synchronous_commit', 'LOCAL', 'local'],
    ['search_path', 'A, "B, c",public', 'a, "B, c", public'],
    ['search_path', ['$user', 'Odd"name', 'ü x'], '"$user", "Odd""name", "ü x"'],
    ['search_path', [], '""'],
    ['log_destination', ['stderr', 'csvlog'], 'stderr, csvlog'],
    ['DateStyle', 'German, DMY', 'German, DMY'],
    ['timezone', 'Europe/Berlin', 'Europe/Berlin'],
    ['log_line_prefix', `it's 100% "$HOME" \\ ü 🐘 `, `it's 100% "$HOME" \\ ü 🐘 `],
    ['howdah.motto', `it's "$HOME" \\ 🐘`, `it's "$HOME" \\ 🐘`],
    ['howdah.empty', '', ''],
  ])('sets %s to %j', async (name, value, text) => {
    const first = await db.settings.set(name, value)
    expect(first).toMatchObject({ needsRestart: false, overriddenBy: null })
    expect(await shown(name)).toBe(text)
    expect(await db.settings.set(name, value)).toMatchObject({ outcome: 'unmodified' })
    const found = await db.settings.get(name)
    expect(found).toMatchObject({ source: 'configuration file', text })
    expect(found.file?.path).toMatch(/\/postgresql\.auto\.conf$/)
    // What was got can be set.
    expect(await db.settings.set(name, found)).toMatchObject({ overriddenBy: null })
    expect(await shown(name)).toBe(text)
    expect(await db.settings.list(name)).toContainEqual(expect.objectContaining({ text }))
  })

  it('takes back one, and all', async () => {
    await db.settings.set('work_mem', '9MB')
    const kept = () => readFileSync(home.file('data', 'postgresql.auto.conf'), 'utf8')
    expect(kept()).toMatch(/^work_mem = '9MB'$/m)
    expect(await db.settings.reset('Work_Mem')).toEqual({
      outcome: 'modified',
      needsRestart: false,
      overriddenBy: null,
    })
    expect(kept()).not.toMatch(/^work_mem/m)
    expect(await db.settings.reset('work_mem')).toMatchObject({ outcome: 'unmodified' })
    expect(await shown('work_mem')).toBe('4MB')
    await db.settings.set('howdah.motto', 'x')
    expect(await db.settings.reset('howdah.motto')).toMatchObject({ outcome: 'modified' })
    expect(await db.settings.resetAll()).toMatchObject({ outcome: 'modified', needsRestart: false })
    expect(await db.settings.resetAll()).toMatchObject({ outcome: 'unmodified' })
    expect(kept()).not.toMatch(/^[^#\n]/m)
  })

  it('says what needs a restart, until it is taken back', async () => {
    expect(await db.settings.set('max_connections', 123)).toEqual({
      outcome: 'modified',
      needsRestart: true,
      overriddenBy: null,
    })
    expect(await db.settings.get('max_connections')).toMatchObject({
      value: 100,
      pendingRestart: true,
    })
    expect(await db.settings.set('work_mem', '9MB')).toMatchObject({ needsRestart: false })
    expect(await db.settings.reset('max_connections')).toEqual({
      outcome: 'modified',
      needsRestart: false,
      overriddenBy: null,
    })
  })

  it.each<[string, SettingValue, string, RegExp]>([
    ['no_such_setting', 'x', 'UNKNOWN_SETTING', /knows no setting "no_such_setting"/],
    ['work_mem', 'lots', 'SETTING_REFUSED', /"work_mem": invalid value .*"lots"/],
    ['work_mem', '1 XB', 'SETTING_REFUSED', /Valid units for this parameter are/],
    ['work_mem', { bytes: 1e18 }, 'SETTING_REFUSED', /"work_mem"/],
    ['wal_level', 'most', 'SETTING_REFUSED', /Available values: minimal, replica, logical/],
    ['enable_seqscan', 'perhaps', 'SETTING_REFUSED', /requires a Boolean value/],
    ['server_version', '19', 'SETTING_REFUSED', /cannot be changed/],
    ['data_directory', '/tmp', 'SETTING_REFUSED', /cannot be changed/],
    ['log_line_prefix', '1\n2', 'SETTING_REFUSED', /newline/],
    ['work_mem', Number.NaN, 'INVALID_SETTING', /NaN/],
    ['work_mem', ['1', '2'], 'INVALID_SETTING', /one value/],
    ['work_mem', '1\0', 'INVALID_SETTING', /NUL/],
    ['search_path', 'a, "b', 'INVALID_SETTING', /not a list/],
    ['search_path', 'a,,b', 'INVALID_SETTING', /not a list/],
    ['shared buffers', '1MB', 'INVALID_SETTING', /a name is made of/],
    [`x'; DROP`, '1', 'INVALID_SETTING', /a name is made of/],
    ['"x"', '1', 'INVALID_SETTING', /a name is made of/],
    ['wörk_mem', '1', 'INVALID_SETTING', /a name is made of/],
    // PostgreSQL writes these two, and cannot read them again.
    ['howdah.a.b', '1', 'INVALID_SETTING', /one dot at most/],
    ['howdah.a$b', '1', 'INVALID_SETTING', /no \$/],
    ['PORT', 5432, 'INVALID_SETTING', /howdah sets it itself/],
    ['listen_addresses', '*', 'INVALID_SETTING', /howdah sets it itself/],
    ['unix_socket_permissions', '0777', 'INVALID_SETTING', /howdah sets it itself/],
    ['unix_socket_directories', '/tmp', 'INVALID_SETTING', /howdah sets it itself/],
  ])('refuses to set %s to %j', async (name, value, code, message) => {
    const before = readFileSync(home.file('data', 'postgresql.auto.conf'), 'utf8')
    await expect(db.settings.set(name, value)).rejects.toMatchObject({
      code: `ERR_CLUSTER_${code}`,
      message: expect.stringMatching(message),
    })
    expect(readFileSync(home.file('data', 'postgresql.auto.conf'), 'utf8')).toBe(before)
  })

  it('does not know a setting that is not there', async () => {
    const unknown = { code: 'ERR_CLUSTER_UNKNOWN_SETTING', setting: 'no_such' }
    await expect(db.settings.get('no_such')).rejects.toMatchObject(unknown)
    await expect(db.settings.reset('no_such')).rejects.toMatchObject(unknown)
    await expect(db.settings.get('howdah.nothing')).rejects.toMatchObject({
      code: 'ERR_CLUSTER_UNKNOWN_SETTING',
    })
  })

  it('reads files that were edited, and says what is wrong with them', async () => {
    const configuration = home.file('data', 'postgresql.conf')
    const { size } = statSync(configuration)
    try {
      appendFileSync(configuration, '\nmaintenance_work_mem = 77MB\n')
      await db.settings.reload()
      expect(await db.settings.get('maintenance_work_mem')).toMatchObject({ text: '77MB' })
      appendFileSync(configuration, '\nnonsense\nno_such_setting = 1\n')
      await expect(db.settings.reload()).rejects.toMatchObject({
        code: 'ERR_CLUSTER_RELOAD_FAILED',
        message: expect.stringMatching(/postgresql\.conf:\d+: /),
      })
    } finally {
      truncateSync(configuration, size)
    }
    await db.settings.reload()
    expect(await shown('maintenance_work_mem')).toBe('64MB')
  })

  it('keeps them over a restart, libraries by name', async () => {
    const library = major >= 11 ? ['plpgsql', 'dict_snowball'] : ['plpgsql']
    await db.settings.set('max_connections', 42)
    expect(await db.settings.set('shared_preload_libraries', library)).toMatchObject({
      needsRestart: true,
    })
    await db.leave()
    db = await cluster.run({ settings: { work_mem: '11MB' } })
    expect(await db.settings.get('max_connections')).toMatchObject({
      value: 42,
      pendingRestart: false,
    })
    expect(await db.settings.get('shared_preload_libraries')).toMatchObject({ value: library })
    expect(await db.settings.set('work_mem', '12MB')).toEqual({
      outcome: 'modified',
      needsRestart: false,
      overriddenBy: 'command line',
    })
    expect(await db.settings.set('shared_preload_libraries', [])).toMatchObject({
      outcome: 'modified',
      needsRestart: true,
    })
    await db.leave()
    db = await cluster.run()
    expect(await db.settings.get('shared_preload_libraries')).toMatchObject({ value: [] })
    expect(await shown('work_mem')).toBe('12MB')
  })
})

it('does not make a list empty that another file fills', async () => {
  using home = temporaryDirectory()
  const cluster = new Cluster(home.file('data'), { strategy: newest.strategy })
  await cluster.create()
  appendFileSync(home.file('data', 'postgresql.conf'), "\nsession_preload_libraries = 'plpgsql'\n")
  await using db = await cluster.run()
  await expect(db.settings.set('session_preload_libraries', '')).rejects.toMatchObject({
    code: 'ERR_CLUSTER_INVALID_SETTING',
    message: expect.stringMatching(/postgresql\.conf:\d+ sets it/),
  })
})

it('changes nothing when it is told to stop before it began', async () => {
  using home = temporaryDirectory()
  await using db = await new Cluster(home.file('data'), { strategy: newest.strategy }).run()
  const signal = AbortSignal.abort(new Error('enough'))
  await expect(db.settings.set('work_mem', '9MB', { signal })).rejects.toThrow('enough')
  expect(await db.settings.get('work_mem')).toMatchObject({ text: '4MB' })
})
