// node-redis in both protocols: what it sends at the start, pipelines, transactions, pub/sub, users, a cache, blocking.
const { createClient } = require('redis')
const { step, run, until } = require('./steps')

const port = Number(process.argv[2])
// Of a command that is not allowed the words differ between Redis 7.0 and 7.2.
const message = error => `${error.constructor.name}: ${error.message.replace(/^NOPERM.*/, 'NOPERM')}`

const connected = async options => {
  const client = createClient({ socket: { port, host: '127.0.0.1', reconnectStrategy: false }, ...options })
  client.on('error', () => {})
  return client.connect()
}

const session = async RESP => {
  const client = await connected({ RESP, name: 'node', database: 2 })
  await client.flushAll()
  step(`RESP${RESP}`, [await client.ping(), await client.clientGetName(), (await client.clientInfo()).db])
  step('set', [await client.set('a', '1', { expiration: { type: 'EX', value: 100 } }), await client.set('a', '2', { condition: 'NX' }), await client.ttl('a')])
  step('hash', [await client.hSet('h', { f: '1', g: 'two' }), await client.hGetAll('h'), await client.hmGet('h', ['g', 'none'])])
  step('zset', [await client.zAdd('z', [{ score: 1, value: 'a' }, { score: 2.5, value: 'b' }]), await client.zRangeWithScores('z', 0, -1), await client.zScore('z', 'b')])
  step('list', [await client.rPush('l', ['a', 'b', 'c']), await client.lRange('l', 0, -1), await client.lPop('l')])
  step('members', [await client.sAdd('s', ['x', 'y']), (await client.sMembers('s')).sort(), await client.sIsMember('s', 'x')])
  step('stream', [await client.xAdd('st', '1-1', { k: 'v' }), await client.xRange('st', '-', '+'), await client.xRead({ key: 'st', id: '0' })])
  step('pipelined', await Promise.all([client.incr('n'), client.incr('n'), client.get('n'), client.get('none')]))
  step('multi', await client.multi().set('m', '1').incr('m').hGetAll('h').exec())
  step('multi fails', await client.multi().set('m', 'x').incr('m').exec().catch(message))
  const watching = await connected({ RESP, database: 2 })
  await watching.watch('m')
  await client.set('m', '2')
  step('watch', await watching.multi().get('m').exec().catch(message))
  step('wrong type', await client.lPush('m', 'x').catch(message))
  step('unknown', await client.sendCommand(['NOSUCH', 'x']).catch(message))
  let scanned = 0
  await Promise.all(Array.from({ length: 300 }, (_, at) => client.set(`scan:${at}`, 'x')))
  for await (const keys of client.scanIterator({ MATCH: 'scan:*', COUNT: 20 })) scanned += keys.length
  step('scanned', scanned)

  const subscriber = await client.duplicate().connect()
  const heard = []
  await subscriber.subscribe('one', (text, channel) => heard.push([channel, text]))
  await subscriber.pSubscribe('o*', (text, channel) => heard.push(['pattern', channel, text]))
  await subscriber.sSubscribe('shard', (text, channel) => heard.push(['shard', channel, text]))
  step('published', [await client.publish('one', 'x'), await client.sPublish('shard', 'y'), await client.publish('none', 'z')])
  await until('messages', () => heard.length === 3)
  step('heard', heard.sort())
  await subscriber.unsubscribe()
  await subscriber.pUnsubscribe()
  await subscriber.sUnsubscribe('shard')
  step('left', [await client.pubSubChannels(), await subscriber.ping()])

  const waiter = client.duplicate()
  await waiter.connect()
  const taken = waiter.blPop('queue', 20)
  await until('waiting', async () => (await client.info('clients')).includes('blocked_clients:1'))
  await client.rPush('queue', 'a')
  step('blpop', await taken)

  await client.aclSetUser('dave', ['on', '>secret', '~d:*', '+@all', '-@dangerous'])
  const dave = await connected({ RESP, username: 'dave', password: 'secret' })
  step('dave', [await dave.set('d:1', 'x'), await dave.aclWhoAmI(), await dave.get('other').catch(message), await dave.flushAll().catch(message)])
  step('wrong password', await connected({ RESP, username: 'dave', password: 'no' }).catch(message))
  step('users', [(await client.aclList()).length, await client.aclDelUser('dave')])
  for (const one of [client, watching, subscriber, waiter]) one.destroy()
}

run(async () => {
  await session(2)
  await session(3)
  // A cache that the server keeps up to date.
  const cached = await connected({ RESP: 3, clientSideCache: { maxEntries: 10 } })
  const other = await connected({})
  await other.set('c', '1')
  step('cached', [await cached.get('c'), await cached.get('c')])
  await other.set('c', '2')
  await until('a change', async () => (await cached.get('c')) === '2')
  step('changed', await cached.get('c'))
  await other.flushAll()
  await until('a flush', async () => (await cached.get('c')) === null)
  step('flushed', await cached.get('c'))
})
