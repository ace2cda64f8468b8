"""Clients that nobody here wrote, against a replica set of cmd/mongotest:
PyMongo 3.11 and Motor 2.3 as Debian ships them.

    interop/python.sh

The argument is the connection string of a replica set of three nodes with test
commands. Every check prints a line; the exit status is 1 if one fails.
"""

import asyncio
import os
import sys
import threading
import time
import traceback

import gridfs
import motor.motor_asyncio
import pymongo
from pymongo import ReadPreference
from pymongo.errors import DuplicateKeyError, OperationFailure
from pymongo.write_concern import WriteConcern

uri = sys.argv[1]
failed = 0


def check(name):
    """Runs a function as a check."""
    def run(function):
        global failed
        try:
            result = function()
            if asyncio.iscoroutine(result):
                asyncio.get_event_loop().run_until_complete(asyncio.wait_for(result, 20))
            print("ok      " + name)
        except Exception:
            failed += 1
            print("FAILED  " + name)
            traceback.print_exc()
    return run


def same(got, want):
    assert got == want, "got %r, want %r" % (got, want)


client = pymongo.MongoClient(uri, serverSelectionTimeoutMS=5000)
db = client.interop
POINTS = {"_id": 1, "points": [{"x": 0, "y": 0}, {"x": 3, "y": 0}, {"x": 7, "y": 2}]}
MOVED = {"_id": 1, "points": [{"x": 0, "y": 0}, {"x": 3, "y": 5}, {"x": 7, "y": 5}]}


@check("PyMongo connects with replicaSet= and finds all members")
def _():
    client.admin.command("ping")
    deadline = time.time() + 5
    while len(client.nodes) < 3 and time.time() < deadline:
        time.sleep(0.01)
    same(len(client.nodes), 3)
    assert client.primary, "there is no primary"
    client.drop_database("interop")


@check("PyMongo inserts and finds")
def _():
    same(db.shapes.insert_one(POINTS).inserted_id, 1)
    same(db.shapes.find_one({"points.x": 3}), POINTS)
    many = [{"_id": i, "n": i % 7} for i in range(1000)]
    same(len(db.many.insert_many(many).inserted_ids), 1000)
    same(list(db.many.find({"n": 3}).sort("_id", -1).batch_size(10)), [d for d in reversed(many) if d["n"] == 3])
    same(db.many.count_documents({"n": {"$in": [1, 2]}}), 286)
    try:
        db.shapes.insert_one({"_id": 1})
        assert False, "a duplicate was taken"
    except DuplicateKeyError as e:
        same(e.code, 11000)


@check("PyMongo updates with array_filters")
def _():
    result = db.shapes.update_one({"_id": 1}, {"$set": {"points.$[i].y": 5}}, array_filters=[{"i.x": {"$gt": 0}}])
    same(result.modified_count, 1)
    same(db.shapes.find_one(), MOVED)


@check("PyMongo watches a collection")
def _():
    with db.watched.watch() as stream:
        db.watched.insert_one({"_id": 1})
        db.watched.update_one({"_id": 1}, {"$set": {"a": 2}})
        db.watched.delete_one({"_id": 1})
        events = [next(stream) for _ in range(3)]
    same([e["operationType"] for e in events], ["insert", "update", "delete"])
    same(events[1]["updateDescription"]["updatedFields"], {"a": 2})
    with db.watched.watch(resume_after=events[0]["_id"]) as stream:
        same(next(stream)["operationType"], "update")


@check("PyMongo reads its own write from a secondary in a causally consistent session")
def _():
    away = db.get_collection("causal", read_preference=ReadPreference.SECONDARY)
    with client.start_session(causal_consistency=True) as session:
        for i in range(100):
            db.causal.insert_one({"_id": i}, session=session)
            same(away.find_one({"_id": i}, session=session), {"_id": i})


@check("PyMongo runs a transaction, and aborts one (from 4.0 on)")
def _():
    if client.server_info()["versionArray"] < [4, 0]:
        return
    db.create_collection("accounts")
    db.accounts.insert_many([{"_id": "a", "n": 5}, {"_id": "b", "n": 0}])

    def move(session, n):
        db.accounts.update_one({"_id": "a"}, {"$inc": {"n": -n}}, session=session)
        db.accounts.update_one({"_id": "b"}, {"$inc": {"n": n}}, session=session)

    with client.start_session() as session:
        session.with_transaction(lambda s: move(s, 3))
        session.start_transaction()
        move(session, 2)
        same(db.accounts.find_one("b")["n"], 3)
        session.abort_transaction()
    same(db.accounts.find_one("a")["n"], 2)


@check("PyMongo's retryable write is applied once after a lost reply")
def _():
    db.counters.insert_one({"_id": 1, "n": 0})
    for _ in range(5):
        client.admin.command("configureFailPoint", "onPrimaryTransactionalWrite", mode={"times": 1})
        db.counters.update_one({"_id": 1}, {"$inc": {"n": 1}})
    same(db.counters.find_one(1)["n"], 5)


def step_down():
    """Has the primary step down, from another thread."""
    def run(address):
        try:
            pymongo.MongoClient(*address, directConnection=True).admin.command("replSetStepDown", 5, force=True)
        except (OperationFailure, pymongo.errors.AutoReconnect):
            pass
    thread = threading.Thread(target=run, args=[client.primary])
    thread.start()
    return thread


@check("PyMongo stores and reads files in GridFS")
def _():
    files = gridfs.GridFSBucket(db, chunk_size_bytes=1000)
    content = os.urandom(123456)
    key = files.upload_from_stream("file", content, metadata={"a": 1})
    same(files.open_download_stream(key).read(), content)
    with files.open_download_stream_by_name("file") as f:
        f.seek(100000)
        same((f.read(10), f.length, f.metadata), (content[100000:100010], len(content), {"a": 1}))
    files.rename(key, "other")
    same([f.filename for f in files.find({})], ["other"])
    files.delete(key)
    same(db.fs.chunks.count_documents({}), 0)


@check("PyMongo's change stream and writes go on through elections")
def _():
    majority = db.get_collection("followed", write_concern=WriteConcern("majority"))
    with majority.watch() as stream:
        for i in range(100):
            if i % 40 == 20:
                other = step_down()
            majority.insert_one({"_id": i})
            if i % 40 == 30:
                other.join()
        same([next(stream)["documentKey"]["_id"] for _ in range(100)], list(range(100)))


@check("PyMongo's writes go on through an election")
def _():
    counters = db.get_collection("counters", write_concern=WriteConcern("majority"))
    counters.insert_one({"_id": 2, "n": 0})
    for i in range(200):
        if i == 50:
            other = step_down()
        counters.update_one({"_id": 2}, {"$inc": {"n": 1}})
    other.join()
    same(counters.find_one(2)["n"], 200)


@check("PyMongo is told of what the server lacks")
def _():
    try:
        db.command("frobnicate")
        assert False, "an unknown command was taken"
    except OperationFailure as e:
        same(e.code, 59)


@check("Motor inserts, finds, updates with array_filters and watches")
async def _():
    client = motor.motor_asyncio.AsyncIOMotorClient(uri)
    db = client.interop_motor
    await client.drop_database("interop_motor")
    await db.shapes.insert_one(dict(POINTS))
    await db.shapes.update_one({"_id": 1}, {"$set": {"points.$[i].y": 5}}, array_filters=[{"i.x": {"$gt": 0}}])
    same(await db.shapes.find_one({"points.x": 3}), MOVED)
    same([d async for d in db.shapes.find()], [MOVED])

    seen = []

    async def follow(stream):
        async for event in stream:
            seen.append((event["operationType"], event["documentKey"]["_id"]))
            if len(seen) == 3:
                return

    async with db.watched.watch() as stream:
        task = asyncio.ensure_future(follow(stream))
        while not stream.alive or stream.delegate is None:
            await asyncio.sleep(0.01)
        for i in range(3):
            await db.watched.insert_one({"_id": i})
        await task
    same(seen, [("insert", 0), ("insert", 1), ("insert", 2)])


@check("Motor reads its own write in a causally consistent session")
async def _():
    client = motor.motor_asyncio.AsyncIOMotorClient(uri)
    db = client.interop_motor
    away = db.get_collection("causal", read_preference=ReadPreference.SECONDARY)
    async with await client.start_session(causal_consistency=True) as session:
        for i in range(20):
            await db.causal.insert_one({"_id": i}, session=session)
            same(await away.find_one({"_id": i}, session=session), {"_id": i})


@check("Motor runs a transaction, and aborts one (from 4.0 on)")
async def _():
    motor_client = motor.motor_asyncio.AsyncIOMotorClient(uri)
    if (await motor_client.server_info())["versionArray"] < [4, 0]:
        return
    accounts = motor_client.interop_motor.accounts
    await accounts.insert_many([{"_id": "a", "n": 5}, {"_id": "b", "n": 0}])

    async def move(session, n):
        await accounts.update_one({"_id": "a"}, {"$inc": {"n": -n}}, session=session)
        await accounts.update_one({"_id": "b"}, {"$inc": {"n": n}}, session=session)

    async with await motor_client.start_session() as session:
        await session.with_transaction(lambda s: move(s, 3))
        session.start_transaction()
        await move(session, 2)
        same((await accounts.find_one("b"))["n"], 3)
        await session.abort_transaction()
    same((await accounts.find_one("a"))["n"], 2)


@check("Motor stores and reads files in GridFS")
async def _():
    db = motor.motor_asyncio.AsyncIOMotorClient(uri).interop_motor
    files = motor.motor_asyncio.AsyncIOMotorGridFSBucket(db, chunk_size_bytes=1000)
    content = os.urandom(54321)
    key = await files.upload_from_stream("file", content)
    same(await (await files.open_download_stream(key)).read(), content)
    await files.delete(key)
    same(await db.fs.files.count_documents({}), 0)


@check("Motor's change stream and writes go on through an election")
async def _():
    followed = motor.motor_asyncio.AsyncIOMotorClient(uri).interop_motor.get_collection(
        "followed", write_concern=WriteConcern("majority"))
    await followed.insert_one({"_id": -1})
    seen = []
    async with followed.watch() as stream:
        same(await stream.try_next(), None)
        for i in range(60):
            if i == 20:
                other = step_down()
            await followed.insert_one({"_id": i})
        async for event in stream:
            seen.append(event["documentKey"]["_id"])
            if len(seen) == 60:
                break
    other.join()
    same(seen, list(range(60)))


print("%s: %d failed" % (pymongo.version, failed))
sys.exit(1 if failed else 0)
