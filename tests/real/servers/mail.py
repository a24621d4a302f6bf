"""A mail server that says in its response to DATA what it has received."""
import asyncio
import hashlib

from aiosmtpd.controller import UnthreadedController


class Receiver:
    async def handle_DATA(self, server, session, envelope):
        return f"250 {envelope.mail_from} {','.join(envelope.rcpt_tos)} {len(envelope.content)} {hashlib.sha256(envelope.content).hexdigest()}"


loop = asyncio.new_event_loop()
asyncio.set_event_loop(loop)
controller = UnthreadedController(Receiver(), hostname="0.0.0.0", port=25, loop=loop, server_hostname="mail.example")
controller.begin()
loop.run_forever()
