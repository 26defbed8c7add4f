export { createEtcdLeaser, type EtcdLeaserOptions } from './create-etcd-leaser.ts'
