import { expect, test } from 'vitest'
import { statusOf } from '../src/exit-status.ts'

test.each([
  ['ERR_RUNTIME_NOT_FOUND', 69],
  ['ERR_CLUSTER_IN_USE', 75],
  ['ERR_COORDINATE_IN_USE', 75],
  ['ERR_COORDINATE_TIMEOUT', 75],
  ['ERR_COORDINATE_ELSEWHERE', 75],
  ['ERR_LOCK_TIMEOUT', 75],
  ['ERR_RUNTIME_IN_USE', 75],
  ['55006', 75],
  ['ERR_CLI_USAGE', 2],
  ['ERR_CLUSTER_INVALID_SETTING', 2],
  ['ERR_RUNTIME_CONSTRAINT', 2],
  ['ERR_LEASE_OPTION', 2],
  ['ERR_LOCK_OPTION', 2],
  ['ERR_REPLICA_OPTION', 2],
  ['ERR_CLUSTER_START_FAILED', 1],
  ['ERR_CLUSTER_NOT_RUNNING', 1],
  ['ERR_REPLICA_OUTPUT_EXISTS', 1],
  ['ENOENT', 1],
])('an error with the code %s means %i', (code, status) => {
  expect(statusOf(Object.assign(new Error('x'), { code }))).toBe(status)
})

test.each([[new Error('x')], ['x'], [null], [{ code: 69 }]])(
  'what has no code means 1: %s',
  (error) => {
    expect(statusOf(error)).toBe(1)
  },
)
