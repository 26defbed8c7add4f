/**
 * Settings for a server that is to outlive the removal of its files. They turn off two processes that read files soon after a
 * start: a server ends by itself if such a process finds no files.
 */
export const outlivesItsFiles = { autovacuum: 'off', max_logical_replication_workers: '0' }
