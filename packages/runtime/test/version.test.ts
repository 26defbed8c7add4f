import { describe, expect, test } from 'vitest'
import { PartialVersion, RuntimeError, Version } from '../src/index.ts'

describe('a version is found in other output', () => {
  test.each([
    ['pg_ctl (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)', '15.18'],
    ['postgres (PostgreSQL) 16.3', '16.3'],
    ['postgres (PostgreSQL) 9.6.24', '9.6.24'],
    ['postgres (PostgreSQL) 9.6.24 (Ubuntu 9.6.24-1.pgdg20.04+1)', '9.6.24'],
    ['psql (PostgreSQL) 17beta1', '17beta1'],
    ['postgres (PostgreSQL) 18rc1 (Debian 18~rc1-1.pgdg12+1)', '18rc1'],
    ['postgres (PostgreSQL) 19devel', '19devel'],
    ['postgres (PostgreSQL) 9.6beta4', '9.6beta4'],
    ['postgres (PostgreSQL) 10.23\n', '10.23'],
    ['postgres (EnterpriseDB) 15.4.0 (Debian)', '15.4'],
    [
      'x86_64 build of deb12u1: PostgreSQL 14.2 on x86_64-pc-linux-gnu, compiled by gcc 12.2.0',
      '14.2',
    ],
    ['10.0', '10.0'],
    ['9.6.24', '9.6.24'],
    ['17beta1', '17beta1'],
    ['8.4.22', '8.4.22'],
  ])('%j is %s', (text, version) => {
    expect(Version.parse(text).toString()).toBe(version)
  })
})

describe('an incomplete version is refused', () => {
  test.each(['', 'postgres', '16', '9.6', 'v16', '1.2.3.4', 'deb12u1', 'x86_64', '9beta1', '9rc1'])(
    '%j',
    (text) => {
      expect(() => Version.parse(text)).toThrow(
        expect.objectContaining({ code: 'ERR_RUNTIME_VERSION', text }),
      )
      expect(() => Version.parse(text)).toThrow(RuntimeError)
    },
  )
})

test('versions sort by number, and prereleases before their release', () => {
  const sorted = [
    '8.4.22',
    '9.5.25',
    '9.6devel',
    '9.6beta4',
    '9.6rc1',
    '9.6.0',
    '9.6.2',
    '9.6.24',
    '10beta1',
    '10.0',
    '10.9',
    '10.23',
    '16.0',
    '16.3',
    '17devel',
    '17alpha1',
    '17beta1',
    '17beta2',
    '17beta10',
    '17rc1',
    '17.0',
    '19devel',
  ]
  const shuffled = sorted
    .toSorted((left, right) => left.localeCompare(right))
    .map((text) => Version.parse(text))
  expect(shuffled.toSorted(Version.compare).map(String)).toEqual(sorted)
  expect(Version.parse('16.3').compare(Version.parse('16.3'))).toBe(0)
})

test.each([
  ['16.3', '16'],
  ['10.23', '10'],
  ['17beta1', '17'],
  ['9.6.24', '9.6'],
  ['9.6beta4', '9.6'],
])('%s makes data directories of version %s', (version, data) => {
  expect(Version.parse(version).dataVersion.toString()).toBe(data)
})

describe('a server runs data of the same major, if their minor is not higher', () => {
  test.each([
    ['16.3', '16', true],
    ['16.3', '16.3', true],
    ['16.3', '16.2', true],
    ['16.3', '16.4', false],
    ['16.3', '15', false],
    ['16.3', '17', false],
    ['10.23', '1', false],
    ['9.6.24', '9.6', true],
    ['9.6.24', '9.6.24', true],
    ['9.6.23', '9.6.24', false],
    ['9.6.24', '9.5', false],
    ['9.6.24', '9', false],
    ['10.23', '9.6', false],
    ['17beta2', '17', true],
    ['17beta2', '17.0', false],
    ['17.0', '17', true],
  ])('%s with %s: %s', (version, data, runs) => {
    expect(Version.parse(version).runs(PartialVersion.parse(data))).toBe(runs)
  })

  test.each([
    ['16.3', '16.2', true],
    ['16.3', '16.3', true],
    ['16.3', '16.4', false],
    ['17.0', '17beta1', false],
    ['17beta1', '17beta1', true],
    ['17beta2', '17beta1', false],
    ['9.6.24', '9.6.1', true],
  ])('%s with the data of a %s: %s', (version, data, runs) => {
    expect(Version.parse(version).runs(Version.parse(data))).toBe(runs)
  })
})

test('versions print themselves in JSON', () => {
  const { dataVersion } = Version.parse('9.6.24')
  expect(JSON.stringify([Version.parse('16.3'), dataVersion])).toBe('["16.3","9.6"]')
})

describe('a partial version', () => {
  test.each([
    ['16', '16'],
    ['16\n', '16'],
    ['16.3', '16.3'],
    ['16.10', '16.10'],
    ['9.6', '9.6'],
    ['9.6.24', '9.6.24'],
    ['9', '9'],
    [' 10 ', '10'],
    [18, '18'],
  ])('%j is %s', (text, version) => {
    expect(PartialVersion.parse(text).toString()).toBe(version)
  })

  test.each([
    '',
    '0',
    'abc',
    '16.3.1',
    '17beta1',
    '-1',
    '16.',
    '.3',
    '1e3',
    '9.6.24.1',
    '16 17',
    Number.NaN,
    1.5e300,
  ])('%j is refused', (text) => {
    expect(() => PartialVersion.parse(text)).toThrow(
      expect.objectContaining({ code: 'ERR_RUNTIME_VERSION' }),
    )
  })

  test.each([
    ['16', '16.3', true],
    ['16', '16beta1', true],
    ['16.3', '16.3', true],
    ['16.0', '16beta1', false],
    ['16.3', '16.30', false],
    ['10.23', '10.23', true],
    ['10.2', '10.23', false],
    ['16', '15.18', false],
    ['9.6', '9.6.24', true],
    ['9.6', '9.5.25', false],
    ['9.6.24', '9.6.2', false],
    ['9', '9.5.25', true],
  ])('%s matches %s: %s', (partial, version, matches) => {
    expect(PartialVersion.parse(partial).matches(Version.parse(version))).toBe(matches)
  })

  test('sorts less specific versions first', () => {
    const sorted = ['9', '9.5', '9.6', '9.6.2', '9.6.24', '10', '16', '16.0', '16.3', '17']
    const shuffled = sorted.toReversed().map((text) => PartialVersion.parse(text))
    expect(shuffled.toSorted(PartialVersion.compare).map(String)).toEqual(sorted)
    const versions = sorted.map((text) => PartialVersion.parse(text))
    for (const [place, one] of versions.entries()) {
      for (const [other, another] of versions.entries()) {
        expect(Math.sign(one.compare(another))).toBe(Math.sign(place - other))
      }
    }
  })
})
