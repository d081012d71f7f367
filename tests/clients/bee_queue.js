// Bee-Queue: jobs with results, retries, delays, stalled checks.
const Queue = require('bee-queue')
const { connection, step, until, run } = require('./steps')

run(async () => {
  const queue = new Queue('bees', { redis: { host: connection.host, port: connection.port }, activateDelayedJobs: true, stallInterval: 1000 })
  await queue.ready()
  const done = new Map()
  queue.on('job succeeded', (id, result) => done.set(id, result))
  const waits = await queue.createJob({ x: 2 }).setId('first').save()
  step('saved', [waits.id, waits.status])
  step('health', await queue.checkHealth().then(({ waiting, active, succeeded }) => ({ waiting, active, succeeded })))
  let tries = 0
  queue.process(async job => {
    if (job.data.fails && ++tries < 3) throw new Error('not yet')
    return (job.data.x || 0) * 2
  })
  await until('the first', () => done.has('first'))
  step('result', done.get('first'))
  const again = await queue.createJob({ fails: true, x: 5 }).retries(3).save()
  await until('the retried', () => done.has(again.id))
  step('tries', [tries, done.get(again.id)])
  const later = await queue.createJob({ x: 7 }).delayUntil(Date.now() + 60).save()
  await until('the delayed', () => done.has(later.id))
  step('delayed', done.get(later.id))
  await queue.saveAll([1, 2, 3].map(x => queue.createJob({ x })))
  await until('all', async () => (await queue.checkHealth()).succeeded === 6)
  step('stalled', await queue.checkStalledJobs())
  step('got', (await queue.getJob('first')).status)
  await queue.removeJob('first')
  step('gone', await queue.getJob('first'))
  await queue.destroy()
})
