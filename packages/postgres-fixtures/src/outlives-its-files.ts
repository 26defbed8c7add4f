/**
 * Settings of a server whose files are removed soon after its start. Without them, processes that read files soon after a
 * start may find none, and then the server ends by itself.
 */
export const outlivesItsFiles = { autovacuum: 'off', max_logical_replication_workers: '0' }
