"""The loop with which Motor 1.2 watched a collection, run by Debian's Motor 2.3.

    interop/changes.py URI

It prints the changes of demo.things as README.md's program prints them, and
ends with a delete. What it has to say about itself goes to the standard error.
"""

import asyncio
import sys

import motor.motor_asyncio
from bson import json_util
from pymongo.monitoring import CommandListener


class Opened(CommandListener):
    """Says when the change stream is open: Motor opens it with the first step
    of the loop."""

    def started(self, event):
        pass

    def succeeded(self, event):
        if event.command_name == "aggregate":
            print("watching", file=sys.stderr, flush=True)

    def failed(self, event):
        pass


def text(document):
    return json_util.dumps(document, json_options=json_util.RELAXED_JSON_OPTIONS, separators=(",", ":"))


async def watch(collection):
    async with collection.watch() as stream:
        async for change in stream:
            operation = change["operationType"]
            if operation == "insert":
                print(operation, text(change["fullDocument"]))
            elif operation == "update":
                update = change["updateDescription"]
                print(operation, text(change["documentKey"]), text(update["updatedFields"]), text(update["removedFields"]))
            elif operation == "delete":
                print(operation, text(change["documentKey"]))
                return


client = motor.motor_asyncio.AsyncIOMotorClient(sys.argv[1], event_listeners=[Opened()])
asyncio.get_event_loop().run_until_complete(asyncio.wait_for(watch(client.demo.things), 60))
