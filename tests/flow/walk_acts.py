"""What everybody but the model does in a walk: the customer, people of the team, programs, and another worker."""

from __future__ import annotations

from datetime import timedelta

from frontdesk.core.caller import Caller, Role
from frontdesk.core.errors import ApiError, GeneralError, Json
from frontdesk.flow import Flow
from tests.flow.harness import Desk
from tests.flow.walk_moves import ALWAYS, EDGE, FOLLOW_UPS, LEASE, LONG, SHUT
from tests.flow.walk_places import TOOLS, Place
from tests.flow.walk_shop import Shop


class Acts:
    """Each `do_…` is an act by its name; what the product refuses by its rules is no step."""

    desk: Desk
    place: Place
    shop: Shop
    wrong: list[str]  # what was seen where nobody could raise
    other_id: int
    known: set[int]  # ids of inbounds
    written: int = 0
    last_external_id: str = ""
    preview_token: str = ""
    schedules: dict[int, str]  # by the first version of the assistant that has it
    depth: int = 0

    async def act(self, name: str) -> None:
        try:
            await getattr(self, f"do_{name}")()
        except GeneralError:
            raise
        except ApiError:
            pass

    def another_flow(self) -> Flow:
        raise NotImplementedError

    async def change(self, **fields: object) -> None:
        await self.desk.door.call(
            self.desk.owner, self.place.path, "patch", id=self.desk.conversation_id, data=fields
        )  # fmt: skip

    async def configure(self, **fields: object) -> int:
        """Gives the version."""
        desk = self.desk
        row = await desk.door.call(desk.owner, "ai-assistants", "patch", id=desk.assistant_id, data=fields)
        return int(str(row.value["version"]))

    async def do_wait(self) -> None:
        pass

    # -- the customer --------------------------------------------------------------------------

    async def do_inbound(self, text: str = "Hello?", *, is_bare: bool = False) -> None:
        self.written += 1
        external_id = f"w{self.written}"
        id = await self.place.inbound(text if is_bare else f"{text} {self.written}", external_id)
        if id in self.known:
            self.wrong.append(f"a new message was taken for the known one {id}")
        self.known.add(id)
        self.last_external_id = external_id

    async def do_keyword(self) -> None:
        await self.do_inbound("My lawyer!")

    async def do_stop(self) -> None:
        await self.do_inbound("STOP", is_bare=True)

    async def do_start(self) -> None:
        await self.do_inbound("Start", is_bare=True)

    async def do_duplicate(self) -> None:
        if not self.last_external_id:
            return
        if (id := await self.place.inbound("Hello?", self.last_external_id)) not in self.known:
            self.wrong.append(f"a repeat delivery was taken for a new message {id}")

    # -- people and programs -------------------------------------------------------------------

    async def do_person_writes(self) -> None:
        await self.place.write(f"Marta here {self.written}.", self.desk.owner)

    async def do_program_writes(self) -> None:
        """With a key: nobody takes over, and the assistant goes on."""
        key = Caller(self.desk.organization_id, self.desk.user_id, Role.admin, via="api_key")
        await self.place.write(f"Your order {self.written}.", key)

    async def do_person_takes(self) -> None:
        await self.change(assigned_user_id=self.desk.user_id)

    async def do_nobody(self) -> None:
        await self.change(assigned_user_id=None, assigned_ai_assistant_id=None)

    async def do_hand_back(self) -> None:
        await self.change(assigned_ai_assistant_id=self.desk.assistant_id)

    async def do_hand_back_to_answer(self) -> None:
        await self.change(assigned_ai_assistant_id=self.desk.assistant_id, answer_waiting=True)

    async def do_other_assistant(self) -> None:
        await self.change(assigned_ai_assistant_id=self.other_id)

    async def do_preview(self) -> None:
        ids: Json = [self.desk.conversation_id]
        seen = await self.desk.call("conversations-bulk-actions-previews", "create", conversation_ids=ids)
        self.preview_token = str(seen.value["preview_token"])

    async def do_bulk_hand_back(self) -> None:
        await self._bulk(action="hand_back", preview_token=self.preview_token)

    async def do_bulk_unseen(self) -> None:
        """Without a preview nobody gets anything back."""
        token = self.desk.door.vault.seal("{}")
        try:
            await self._bulk(action="hand_back", preview_token=token)
        except ApiError:
            return
        self.wrong.append("conversations were given back that nobody had looked at")

    async def do_bulk_close(self) -> None:
        await self._bulk(action="update_status", status="closed")

    async def _bulk(self, **fields: Json) -> None:
        ids: Json = [self.desk.conversation_id]
        await self.desk.call("conversations-bulk-actions", "create", conversation_ids=ids, **fields)

    async def do_close(self) -> None:
        await self.change(status="closed")

    async def do_reopen(self) -> None:
        await self.change(status="open")

    async def do_cut(self) -> None:
        await self.change(ai_context_cut=self.desk.clock.now().isoformat())

    async def do_block(self) -> None:
        await self.change(blocked=True)

    async def do_unblock(self) -> None:
        await self.change(blocked=False)

    async def do_opt_out(self) -> None:
        now = self.desk.clock.now().isoformat()
        await self.desk.call("contacts", "patch", self.desk.contact_id, opted_out_at=now)

    async def do_opt_in(self) -> None:
        await self.desk.call("contacts", "patch", self.desk.contact_id, opted_out_at=None)

    async def do_approve(self) -> None:
        await self._decide("approved")

    async def do_refuse(self) -> None:
        await self._decide("refused")

    async def _decide(self, status: str) -> None:
        for row in await self.desk.fetch("SELECT id FROM ai_approvals WHERE status = 'pending'"):
            await self.desk.call("ai-approvals", "patch", row["id"], status=status)

    # -- the configuration ---------------------------------------------------------------------

    async def do_mute(self) -> None:
        await self.configure(disable_reply=True)

    async def do_unmute(self) -> None:
        await self.configure(disable_reply=False)

    async def do_shut(self) -> None:
        self.schedules[await self.configure(schedule_config=SHUT)] = "shut"

    async def do_edge(self) -> None:
        """Half an hour is left of the day."""
        self.schedules[await self.configure(schedule_config=EDGE)] = "edge"

    async def do_unshut(self) -> None:
        self.schedules[await self.configure(schedule_config={"enabled": False})] = "open"

    async def do_tools_off(self) -> None:
        await self.configure(internal_tools={"tools": {"find_contact": True}}, api_tools=self.shop.uses(enabled=False))

    async def do_tools_on(self) -> None:
        await self.configure(internal_tools={"tools": TOOLS}, api_tools=self.shop.uses())

    async def do_ask_first(self) -> None:
        """From now on a person has to approve each note and each order."""
        tools: Json = {"find_contact": True, "add_note": ALWAYS}
        await self.configure(internal_tools={"tools": tools}, api_tools=self.shop.uses(approval="always"))

    async def do_remind(self) -> None:
        await self.configure(follow_up_config=FOLLOW_UPS)

    async def do_burst_on(self) -> None:
        await self.configure(enable_message_burst_handling=True)

    async def do_burst_off(self) -> None:
        await self.configure(enable_message_burst_handling=False)

    async def do_sum_up(self) -> None:
        await self.configure(advanced_options=LONG)

    async def do_delete_assistant(self) -> None:
        await self.desk.call("ai-assistants", "remove", self.desk.assistant_id)

    async def do_delete_tools(self) -> None:
        for id in self.shop.ids:
            await self.desk.call("api-tools", "remove", id)

    # -- machines ------------------------------------------------------------------------------

    async def do_stall(self) -> None:
        """This worker stands still; its lease goes to another one."""
        if self.depth:
            return
        self.depth += 1
        self.desk.clock.set(self.desk.clock.now() + timedelta(seconds=LEASE))
        await self.desk.settle(self.another_flow())
        self.depth -= 1
