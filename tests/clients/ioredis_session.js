// ioredis and iovalkey around the data: pipelines, transactions, pub/sub, scans, blocking commands, users.
const { connection, step, run, until } = require('./steps')

// Of a command that is not allowed the words differ between Redis 7.0 and 7.2.
const message = error => `${error.constructor.name}: ${error.message.replace(/^NOPERM.*/, 'NOPERM')}`

const session = async (name, Redis) => {
  const redis = new Redis({ ...connection, connectionName: 'io', db: 1 })
  await redis.flushall()
  step(name, [await redis.ping(), await redis.client('GETNAME')])
  step('set', [await redis.set('a', 1, 'EX', 100), await redis.set('a', 2, 'NX'), await redis.getBuffer('a'), await redis.mget('a', 'none')])
  step('hash', [await redis.hset('h', { f: 1, g: 'two' }), await redis.hgetall('h'), await redis.hincrbyfloat('h', 'f', 1.5)])
  step('zset', [await redis.zadd('z', 1, 'a', 2.5, 'b'), await redis.zrange('z', 0, -1, 'WITHSCORES'), await redis.zpopmax('z')])
  step('stream', [await redis.xadd('st', '1-1', 'k', 'v'), await redis.xread('STREAMS', 'st', '0')])
  step('pipeline', await redis.pipeline().incr('n').lpush('n', 1).get('n').exec().then(all => all.map(([error, value]) => error ? message(error) : value)))
  step('multi', await redis.multi().set('m', 1).incr('m').exec())
  step('multi fails', await redis.multi().set('m', 1).call('NOSUCH').exec().catch(message))
  const watching = new Redis({ ...connection, db: 1 })
  await watching.watch('m')
  await redis.set('m', 5)
  step('watch', await watching.multi().get('m').exec())
  const piped = new Redis({ ...connection, db: 1, enableAutoPipelining: true, keyPrefix: 'p:' })
  step('piped', await Promise.all([piped.set('x', 1), piped.incr('x'), piped.get('x'), piped.del('none')]))
  await Promise.all(Array.from({ length: 300 }, (_, at) => redis.set(`scan:${at}`, 'x')))
  const scanned = new Set()
  for await (const keys of redis.scanStream({ match: 'scan:*', count: 20 })) keys.forEach(key => scanned.add(key))
  step('scanned', scanned.size)

  const subscriber = new Redis(connection)
  const heard = []
  subscriber.on('message', (...all) => heard.push(all))
  subscriber.on('pmessage', (...all) => heard.push(all))
  step('subscribed', [await subscriber.subscribe('one', 'two'), await subscriber.psubscribe('o*')])
  step('published', [await redis.publish('one', 'x'), await redis.publish('two', 'y')])
  await until('messages', () => heard.length === 3)
  step('heard', heard.sort())
  step('left', [await subscriber.unsubscribe('one', 'two'), await subscriber.punsubscribe('o*'), await subscriber.get('none')])

  const waiter = new Redis({ ...connection, db: 1 })
  const taken = waiter.brpop('queue', 20)
  await until('waiting', async () => (await redis.info('clients')).includes('blocked_clients:1'))
  await redis.lpush('queue', 'a')
  step('brpop', await taken)
  step('errors', [await redis.lpush('a', 1).catch(message), await redis.call('NOSUCH', 'x').catch(message)])

  await redis.acl('SETUSER', 'erin', 'on', '>secret', '~e:*', '+@all', '-@dangerous')
  const erin = new Redis({ ...connection, username: 'erin', password: 'secret' })
  step('erin', [await erin.set('e:1', 1), await erin.acl('WHOAMI'), await erin.get('other').catch(message)])
  step('users', [await redis.acl('DELUSER', 'erin'), await redis.acl('USERS')])
  for (const one of [redis, watching, piped, subscriber, waiter, erin]) one.disconnect()
}

run(async () => {
  await session('ioredis', require('ioredis'))
  await session('iovalkey', require('iovalkey'))
})
