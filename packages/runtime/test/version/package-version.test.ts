import { describe, expect, test } from 'vitest'
import { PackageVersion } from '../../src/version/package-version.ts'

describe('the version of a package', () => {
  test.each([
    ['16.14.0-beta.17', '16.14'],
    ['10.23.0', '10.23'],
    ['18.4.10-rc.2', '18.4'],
    ['18.0.1-alpha.1', '18.0'],
    ['1234.5678.9012-beta.3456', '1234.5678'],
  ])('%s holds PostgreSQL %s', (text, version) => {
    const read = PackageVersion.read(text)
    expect([read?.toString(), read?.version.toString()]).toEqual([text, version])
    expect(PackageVersion.parse(text).compare(read!)).toBe(0)
  })

  test.each([
    '',
    '16',
    '16.14',
    '9.6.0',
    'v16.14.0',
    '16.14.0-beta',
    '16.14.0-beta.',
    '16.14.0-beta.x',
    '16.14.0-gamma.1',
    '16.14.0beta.1',
    '16.14.0-beta.1.2',
    '16.14.x',
    '16.x.0',
    'xx.14.0',
    '12345.1.0',
    '16.14.0 ',
    '16.14.0-beta.12345',
  ])('%j is none', (text) => {
    expect(PackageVersion.read(text)).toBeNull()
    expect(() => PackageVersion.parse(text)).toThrow(
      expect.objectContaining({ code: 'ERR_RUNTIME_VERSION', text }),
    )
  })

  test('sorts by PostgreSQL, then by number and by stage, and a release comes last', () => {
    const sorted = [
      '10.6.0',
      '16.3.5',
      '16.14.0-alpha.9',
      '16.14.0-beta.2',
      '16.14.0-beta.17',
      '16.14.0-rc.1',
      '16.14.0',
      '16.14.2-alpha.1',
      '16.14.10-alpha.1',
      '17.0.0-beta.1',
    ]
    const versions = sorted.map((text) => PackageVersion.parse(text))
    for (const [place, one] of versions.entries()) {
      for (const [other, another] of versions.entries()) {
        expect(Math.sign(one.compare(another))).toBe(Math.sign(place - other))
      }
    }
  })
})
