import { testDatabases } from '@howdah/testing'

export const databases = testDatabases({ migrate: 'migrations/*.sql' })
