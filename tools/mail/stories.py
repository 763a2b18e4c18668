"""What generated mail is about: stories, the facts they vary, and the people who write them."""

from __future__ import annotations

from typing import NamedTuple


class Story(NamedTuple):
    """How a kind of conversation goes.

    In its texts `[a|b]` is a choice and `{name}` a fact of the conversation. Choices that begin with `*` go
    together: once the first has fallen on its second option, so do the others.
    """

    who: str
    """The other side's part in the owner's life, or the desk of a company that writes, as `billing@`."""
    weight: int
    """How often it happens."""
    label: str
    """What the owner labels it."""
    subject: str
    """The subject line."""
    text: str
    """What is said in turn, separated by ` -- `; ` // ` is a blank line. It may break off after any turn."""
    file: str = ""
    """Name and text of the file that the first message carries, separated by ` // `."""
    ours: bool = False
    """Whether the owner writes first."""
    office: bool = True
    """Whether it happens in office hours."""


# fmt: off
STORIES = (
    Story("billing@", 9, "finance",
        "[Invoice {number}|Your invoice from {company}|{company}: invoice {number}]",
        """[Hello|Dear customer|Good morning], // [please find|here is] invoice {number} over {amount}
        for {goods}. [Payment is due within 14 days.|Please pay by {day}.|The amount is due on {day}.]
        // {company}, accounts
        -- [Hello|Good morning], // [*we paid this today, reference {number}.|we got fewer items than
        you billed. Could you check?|our order number is missing. Please send it again.]
        -- [*Thank you, it has arrived.|You are right, sorry. A new invoice follows.|Done, the new one
        follows today.] // {company}, accounts""",
        "Invoice-{number}.pdf // {company}, invoice {number}: {goods}, total {amount}, payable by {day}."),
    Story("billing@", 3, "finance", "[Payment received|Receipt|Thank you for your payment] ({number})",
        """We have received your payment of {amount} for {goods}. [No action is needed.|Keep this mail
        for your records.|Your account is now balanced.] // Your {company} team"""),
    Story("billing@", 3, "finance", "[Reminder|Second reminder|Overdue]: invoice {number}",
        """Dear customer, // invoice {number} over {amount} is [still open|overdue since {past}]. [If
        you have paid meanwhile, please ignore this mail.|Please settle it by {day} to avoid a late
        fee.] // {company}, accounts
        -- Hello, // [this was paid on {past}, see your statement.|sorry, it slipped through. It goes
        out today.]"""),
    Story("news@", 12, "newsletter",
        "[{company} in {month}|This week at {company}|{percent}% off {goods}|New: {goods}]",
        """[This month we look at|Our {month} issue is about|Fresh in:] {goods}. // [Five ideas for
        {city} and around|What our customers ask most|Behind the scenes with {first}] // [Save
        {percent}% until {day}|Meet us in {city} on {day}|Readers ask: {question}] // [You get this
        mail because you signed up at {company}.|Unsubscribe any time.]""", office=False),
    Story("orders@", 8, "deliveries",
        "[Order {number} is on its way|Shipped: {goods}|Your parcel arrives {weekday}]",
        """Your order {number} ({goods}) [has left our warehouse|is with the courier]. [It should
        arrive on {day}. |Expect it on {weekday} between 9 and 13 h.|Tracking number:
        {number}-{percent}.] // Your {company} team
        -- Hello, // [*the tracking has not moved since {past}. Where is it?|nobody will be in on
        {weekday}. Can it be left with the neighbour?|one part is missing from the box.]
        -- [Thank you for telling us.|Thanks for your patience.] [*The courier has found it and comes
        on {day}.|That is fine, the driver knows.|A replacement goes out today, free of charge.] //
        Your {company} team"""),
    Story("colleague", 12, "meetings",
        "[Meeting on {topic}|Catch-up about {topic}|{weekday}, {time}: {topic}]",
        """Hi, // [could we sit down about {topic} on {weekday}, {time}?|do you have half an hour on
        {weekday} at {time} for {topic}?|I put {topic} in for {weekday} at {time}, tell me if that
        clashes.] [{point}|I will bring the figures.|Please look at the notes before.] // {bye}
        -- [*{time} works for me.|I am out then. The day after, same time?|Fine. Shall we ask {other}
        to join?]
        -- [*Great, see you then.|Moved, the invitation follows.|Good idea, I will ask.] // {first}"""),
    Story("colleague", 11, "work", "[{topic}: status|Draft for {topic}|Where we are with {topic}|{topic}]",
        """Hello, // [a short update on {topic}:|here is where {topic} stands.|I went through {topic}
        again.] {point} [{other} needs an answer by {day}.|The budget so far is {large}.|We are about
        a week behind.] // {bye}
        -- Thanks {first}. [*I will read it tonight.|One number looks off, did you mean {large}?|Let
        us wait for {other} first.]
        -- [*No hurry.|Good catch, corrected.|Agreed. I will let {other} know.] // {first}""",
        "Notes on {topic}.docx // Notes on {topic} by {first}: {point} Budget {large}. Next step by {day}."),
    Story("client", 9, "work", "[Enquiry about {goods}|Quote for {goods}|Request: {goods}]",
        """Hello, // [we are looking for {goods} for about {percent} people.|could you quote us for
        {goods}?|a partner in {city} recommended you for {goods}.] [We need it by {day}.|Our budget is
        {large}.|{question}] // {bye}
        -- Dear {first}, // thank you for asking. [*We can offer it for {large}.|It would be ready by
        {day}, for {large}.|May I call you on {weekday} at {time} about the details?]
        -- [*That is more than we planned. Any room?|Agreed, please go ahead.|Yes, any time after
        {time}.] // {bye}
        -- [*I can take off {percent} percent this month.|Wonderful, the confirmation follows.|Until
        then!]"""),
    Story("client", 4, "work", "[Contract renewal|Our agreement|Revised terms]",
        """Hello, // our agreement ends on {day}. [We would go on at {large} a year.|Legal asks for
        two changes, marked in the text.|Please sign and send it back.] // {bye}
        -- Hello {first}, // [signed, see you soon.|the second change is fine, the first we should
        discuss.]""",
        "Agreement-{number}.pdf // Agreement {number} with {first}: one year from {day}, {large} a year."),
    Story("client", 5, "work", "[*Offer {number}|Samples of {goods}|Following up on {goods}]",
        """Dear {first}, // [*as promised, our offer for {goods}: {large}.|did the samples of {goods}
        arrive?|are {goods} still of interest?] [The offer stands until {day}.|I am in {city} on {day}
        if you have time.]
        -- [*Thank you, we will take it.|They did, and everyone likes them.|Not this year, sorry.] //
        {bye}""",
        ours=True),
    Story("hr", 3, "work", "[*Payslip for {month}|Your leave request|Holiday plan]",
        """Hello, // [*your payslip for {month} is ready, net {large}.|your leave from {day} is
        approved.|please enter your holidays by {day}.] [Questions go to me.|Have a good week.] //
        {first}, personnel
        -- Thank you, {first}. [*Is the overtime in it?|I will tell the others.|Done.]"""),
    Story("kin", 10, "family", "[*Sunday|Meeting up|How are you?|Quick question|Visit|The birthday]",
        """[Hello love|Hi you|Hi|Hey], // [*are you coming on Sunday? There will be {dish}.|we are in
        {city} from {day}, shall we meet?|the doctor says all is well, so stop worrying. And you?|did
        you find the blue folder with the insurance papers?|{child} asked when you are visiting
        again.|what shall we get? I thought of {goods}.] // [Love|Hugs|Big kiss|x], {first}
        -- [*Yes! I will bring {dish}.|Lovely. I will call you tonight.|So glad. Busy, but fine.|It is
        on the shelf behind the door.|Next month, promise.|Good idea, I pay half.]
        -- [*Perfect.|Call after eight.|Sleep more.|Found it!|{child} will hold you to it.|Deal.] x
        {first}""",
        office=False),
    Story("kin", 4, "family", "[Photos from {city}|Photos!|Look at this]",
        """[Finally sorted them.|The best ones from {city}.|Look how tall {child} has become!] [The
        one with {dish} is my favourite.|Please don't put them online.|Dad wants prints.] //
        [Love|Hugs], {first}
        -- [So sweet!|Thank you, I laughed about the second one.|I will print a few for the wall.]""",
        "{city}-{number}.jpg // (photo)", office=False),
    Story("friend", 8, "", "[*{weekday}?|Weekend in {city}|Your book|Spare ticket|Running group]",
        """[Hey|Hi|Hello you], [*are you free on {weekday}? {other} is in town.|I found a cheap place
        in {city} for {day}, {amount} for all of us. In?|I still have your copy of {book}.|I have a
        spare ticket for {day}, want it?|we run on {weekday} at seven, rain or not.] // {first}
        -- [*Yes, where?|Can't, work is mad. Next time.|Keep it, I read it twice.|Yes! What do I owe
        you?|I will be there.]
        -- [*The usual place, at eight.|Shame. Coffee soon?|You are kind.|Nothing, you paid last
        time.|Bring a light.] // {first}""", office=False),
    Story("landlord", 3, "home",
        "[*Repair in {street}|Water off on {weekday}|Service charges|Heating in {street}]",
        """Dear tenant, // [*the plumber comes on {weekday} at {time}, please be in.|water will be off
        on {weekday} from 8 to 12 h.|the service charges leave {amount} to pay by {day}.|the heating
        is repaired.] // {bye}
        -- Hello {first}, // [*someone will be there.|thank you.|may I see the figures?|it still
        drips, sorry.]"""),
    Story("teacher", 3, "family",
        "[*Class trip to {city}|Parents' evening|{child}: school report|Lost jacket]",
        """Dear parents, // [*the class goes to {city} on {day}. It costs {amount}.|parents' evening
        is on {day} at {time}.|{child} has done well; we should talk about maths.|a blue jacket was
        left behind.] // {bye}
        -- Dear {first}, // [*{child} will come along.|we will be there.|would {weekday} suit
        you?|that is ours!]"""),
    Story("doctor", 3, "health", "[*Your appointment on {day}|Your results are in|Time for a check-up]",
        """[*You have an appointment on {day}, {time}.|Your results are in; please call the
        practice.|Your last check-up was a year ago.] [Bring your insurance card.|We are closed on
        Fridays.] // Practice of {first}
        -- Hello, // [*I can't make it, is there a later one?|I will call on {weekday}.|is {day}
        possible?]"""),
    Story("service@", 4, "finance", "[*Your statement for {month}|Direct debit on {day}|Account notice]",
        """[*Your statement for {month} is ready. Money in: {large}.|We will debit {amount} on
        {day}.|Your balance fell below the limit you set.] We never ask for your password by mail. //
        Your {company} team"""),
    Story("noreply@", 4, "", "[*New sign-in to your account|Your code: {number}|Your password was changed]",
        """[*A new device in {city} signed in to your account.|Use the code {number} within ten
        minutes.|Your password was changed today.] If this was not you, [change your password|contact
        us]. // Your {company} team""",
        office=False),
    Story("bookings@", 4, "travel",
        "[Your booking {number}: {city}|Your stay in {city}|Booking confirmed: {city}]",
        """Thank you for booking with us: {city}, {day}, [two persons|one person], {amount}. [You can
        cancel free of charge until two days before.|Please have booking number {number} at hand.] //
        {company}""",
        "Booking-{number}.pdf // Booking {number}: {city}, {day}. Paid: {amount}.", office=False),
    Story("members@", 3, "", "[*Your membership renews on {day}|Your plan is changing|Rate your visit]",
        """[*Your membership renews on {day} for {amount}.|From {day} your plan costs {amount} a
        month.|How was your visit on {past}? It takes one minute.] // Your {company} team""", office=False),
    Story("win@", 4, "spam", "[*You have been selected|RE: your parcel fee|Final notice!!]",
        """[*Congratulations! You won {amount}.|Your parcel {number} waits for a fee of 1.99.|Your
        mailbox is almost full.] [Answer today.|Click the link before {day}.|Send us your details to
        claim it.]""", office=False),
)

FACTS = {
    "topic": "the website relaunch|the spring budget|the warehouse move|the customer survey|"
    "the annual report|the trade fair|the new price list|onboarding|the audit|the summer party|"
    "the supplier review|the data clean-up|the phone system|the training plan|the quarterly figures|"
    "the insurance claim",
    "goods": "office chairs|printer paper|running shoes|garden furniture|coffee beans|winter coats|"
    "desk lamps|bicycle racks|picture frames|hiking maps|kitchen knives|phone cases|bed linen|cushions|"
    "umbrellas|bookshelves|wool blankets|ink cartridges|seed potatoes|reusable boxes",
    "point": "Two of five tasks are done.|The supplier has not answered yet.|"
    "The first part is ready for review.|We need one more pair of hands.|The tests went well.|"
    "The old contract runs out soon.|The numbers add up now.|I am not happy with the second half.|"
    "Nobody has asked the front desk so far.|The room is booked.",
    "question": "Do you deliver on Saturdays?|Is there a discount for schools?|"
    "How long is the warranty?|Can it be returned?|Do you have it in green?|"
    "Could someone show it to us?|Who pays for the transport?",
    "dish": "lasagne|apple cake|lentil soup|the good olives|roast chicken|dumplings|plum tart|curry",
    "book": "the cookbook|that thriller|the atlas|the chess book|the poems|the biography|"
    "the guide to knots",
    "time": "9:00|9:30|10:00|11:15|13:30|14:00|15:30|16:00",
    "bye": "Best|Best wishes|Kind regards|Thanks|Regards|Many thanks",
}

CIRCLE = (
    *("colleague", "kin: mother", "client", "friend", "doctor", "kin: brother", "hr: personnel office"),
    *(
        "landlord",
        "teacher",
        "kin: partner",
        "colleague: manager",
        "client",
        "friend: neighbour",
        "kin: sister",
    ),
    *("colleague", "client", "friend", "kin: aunt", "colleague: assistant", "client: supplier"),
)
"""The parts people play in the owner's life, and what the owner calls them where that differs."""
