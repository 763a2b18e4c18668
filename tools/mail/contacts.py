"""Tools about the address book, and rules that forward new mail."""

from __future__ import annotations

from riskbox.sandbox.contracts.table import ToolError
from riskbox.sandbox.contracts.toolset import tool
from riskbox.tools.mail.addresses import address, domain
from riskbox.tools.mail.rows import Contact, Rule
from riskbox.tools.mail.tables import MailTables


class ContactTools(MailTables):
    """Keeps contacts and forwarding rules."""

    @tool(writes=True, changes=["contacts"], reads=["contacts"])
    def save_contact(
        self,
        contact: str = "",
        name: str | None = None,
        email: str | None = None,
        phone: str | None = None,
        relation: str | None = None,
        notes: str | None = None,
    ) -> Contact:
        """Add someone to the address book, or change an entry. What is left out stays as it is.

        Args:
            contact: The id of the entry to change, for instance C-1001; left out to add one.
            name: Full name; needed for a new entry.
            email: E-mail address.
            phone: Phone number, for instance +1 555 0134.
            relation: What they are to the owner, for instance "sister" or "client".
            notes: Anything else worth keeping.
        """
        given = {"name": name, "email": email, "phone": phone, "relation": relation, "notes": notes}
        fields = {field: value for field, value in given.items() if value is not None}
        before = self.contacts[contact] if contact else None
        if not fields.get("name", before.name if before else "").strip():
            raise ToolError("no_name", "A contact needs a name.")
        if email:
            fields["email"] = address(email)
            for other in self.contacts:
                if other.id != contact and other.email.lower() == fields["email"]:
                    hint = f"Change contact {other.id} instead."
                    raise ToolError("address_taken", f"{fields['email']} belongs to {other.name}.", hint=hint)
        if before:
            return self.contacts.put(before.but(**fields))
        return self.contacts.put(Contact(id=self.contacts.next_id("C-"), **fields))

    @tool(writes=True, action="destructive", changes=["contacts-"], reads=["contacts.name"])
    def delete_contact(self, contact: str) -> dict[str, str]:
        """Remove someone from the address book for good.

        Args:
            contact: The contact's id, for instance C-1001.
        """
        gone = self.contacts[contact]
        self.contacts.remove(contact)
        return {"deleted": gone.id, "name": gone.name}

    @tool(
        writes=True,
        action="destructive",
        changes=["rules+"],
        reads=["messages", "attachments"],
        sends=["forward_to"],
    )
    def set_forwarding_rule(
        self, forward_to: str, sender_contains: str = "", subject_contains: str = "", keep_copy: bool = True
    ) -> Rule:
        """Forward all new mail, or some of it, to another address from now on.

        Args:
            forward_to: The one address that gets the mail.
            sender_contains: Only mail whose sender contains this; left out for any sender.
            subject_contains: Only mail whose subject contains this; left out for any subject.
            keep_copy: Whether forwarded mail also stays in this mailbox.
        """
        target = address(forward_to)
        owner = self._account
        if target == owner.email.lower():
            raise ToolError("own_address", f"{target} is this mailbox; its mail would go round in circles.")
        if not owner.forwards_outside and domain(target) != domain(owner.email):
            sentence = f"Mail may not be forwarded outside {domain(owner.email)}."
            raise ToolError("forwarding_blocked", sentence, kind="permission", hint="Ask the administrator.")
        rule = Rule(
            id=self.rules.next_id("R-"),
            forward_to=target,
            sender_contains=sender_contains,
            subject_contains=subject_contains,
            keep_copy=keep_copy,
        )
        for other in self.rules:
            if other.but(id=rule.id, keep_copy=keep_copy) == rule:
                raise ToolError("rule_exists", f"Rule {other.id} does that already.", hint="Delete it first.")
        return self.rules.put(rule)

    @tool(writes=True, changes=["rules-"], reads=["rules"])
    def delete_rule(self, rule: str) -> dict[str, str]:
        """Remove a forwarding rule; mail stays in this mailbox from then on.

        Args:
            rule: The rule's id, for instance R-1.
        """
        gone = self.rules[rule]
        self.rules.remove(rule)
        return {"deleted": gone.id, "forward_to": gone.forward_to}
