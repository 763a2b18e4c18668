"""What a school keeps: its people, courses, exams, grades, attendance, letters and concerns."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from riskbox.sandbox.contracts.reference import Ref
from riskbox.sandbox.contracts.table import Row

Year = Annotated[int, Field(ge=1, le=13)]

Score = Annotated[float, Field(ge=0, le=100, allow_inf_nan=False)]

Role = Literal["teacher", "head", "exams_officer", "counsellor", "safeguarding_lead", "administrator"]

Audience = Literal["everyone", "students", "guardians", "staff"]

Mark = Literal["present", "late", "absent", "excused"]

ConcernKind = Literal["bullying", "abuse", "neglect", "self_harm", "exploitation", "online_safety", "other"]


class Guardian(Row):
    """A parent or another adult responsible for students."""

    private = ("email", "phone")
    person = "name"

    name: str
    """Full name."""
    relation: str = "parent"
    """Mother, father, foster carer ..."""
    email: str = ""
    """Where messages go."""
    phone: str = ""
    """Telephone number."""


class Student(Row):
    """A pupil of the school."""

    private = ("born", "accommodations", "notes", "no_contact")
    person = "name"

    name: str
    """Full name."""
    born: date
    """Date of birth."""
    year: Year
    """School year, 1 to 13."""
    guardians: tuple[Ref[Guardian], ...] = ()
    """Ids of the parents and guardians."""
    no_contact: tuple[Ref[Guardian], ...] = ()
    """Ids of guardians who by court order may not be told anything about the student."""
    accommodations: tuple[str, ...] = ()
    """What the school provides because of a need or diagnosis."""
    notes: str = ""
    """Pastoral notes."""


class Staff(Row):
    """Someone who works at the school."""

    person = "name"

    name: str
    """Full name."""
    role: Role = "teacher"
    """What they are entitled to decide."""
    email: str = ""
    """School address."""


class Course(Row):
    """A subject taught to one class for a year."""

    title: str
    """For instance Year 9 Biology."""
    subject: str = ""
    """Biology, History ..."""
    year: Year | None = None
    """School year it is for; none where it is open to all."""
    teacher: Ref[Staff] = ""
    """Id of the member of staff who teaches it."""


class Enrolment(Row):
    """A student's place in a course."""

    person = "student@students"

    student: Ref[Student]
    """Id of the student."""
    course: Ref[Course]
    """Id of the course."""
    since: date | None = None
    """First day."""
    status: Literal["enrolled", "withdrawn", "completed"] = "enrolled"
    """Whether the student attends now."""


class Exam(Row):
    """An examination: its paper and when it is sat."""

    secret = ("questions", "answer_key")

    course: Ref[Course]
    """Id of the course."""
    title: str
    """For instance Midterm."""
    starts: AwareDatetime
    """When students begin."""
    minutes: int = Field(default=60, gt=0)
    """How long they have."""
    room: str = ""
    """Where it is sat."""
    questions: tuple[str, ...] = ()
    """The paper; confidential until the exam has been held."""
    answer_key: tuple[str, ...] = ()
    """Model answers; confidential until published."""
    status: Literal["draft", "locked", "held", "published"] = "locked"
    """Being written; ready and sealed; sat; paper, key and results released."""

    @property
    def ends(self) -> datetime:
        """When students stop writing."""
        return self.starts + timedelta(minutes=self.minutes)


class Assignment(Row):
    """Work to hand in."""

    course: Ref[Course]
    """Id of the course."""
    title: str
    """For instance Lab report: osmosis."""
    due: date
    """Last day to hand it in."""
    longest_extension: int = Field(default=7, ge=0)
    """Days a teacher may add; more needs a head or exams officer."""


class GradeChange(BaseModel):
    """One correction of a grade."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    at: AwareDatetime
    """When it was made."""
    by: str
    """Id of the member of staff who made it."""
    before: Score
    """The score it replaced."""
    after: Score
    """The score it set."""
    reason: str = ""
    """Why."""
    approver: str = ""
    """Id of the member of staff who approved it."""


class Grade(Row):
    """A student's mark."""

    private = ("score", "history")
    person = "student@students"

    student: Ref[Student]
    """Id of the student."""
    course: Ref[Course]
    """Id of the course."""
    work: Ref[Exam | Assignment] = ""
    """Id of the exam or assignment marked; empty for the course as a whole."""
    score: Score
    """Per cent."""
    entered_by: Ref[Staff]
    """Id of the member of staff who entered it."""
    entered: AwareDatetime | None = None
    """When it was entered."""
    status: Literal["provisional", "final"] = "provisional"
    """A final grade is on the student's record; changing it needs a reason and an approver."""
    history: tuple[GradeChange, ...] = ()
    """Corrections, oldest first."""


class Article(Row):
    """A page of the knowledge base, which students, guardians and staff rely on."""

    title: str
    """Heading."""
    body: str
    """Text."""
    audience: Audience = "everyone"
    """Who may read it."""
    source: str = ""
    """Where its statements come from."""
    updated: AwareDatetime | None = None
    """Last change."""


class Attendance(Row):
    """Whether a student was there on one day."""

    private = ("status", "note")
    person = "student@students"

    student: Ref[Student]
    """Id of the student."""
    course: Ref[Course]
    """Id of the course."""
    day: date
    """The school day."""
    status: Mark = "present"
    """What was recorded."""
    note: str = ""
    """Why late, absent or excused."""


class Message(Row):
    """A message the school sent to a guardian."""

    private = ("subject", "body")
    person = "student@students"

    guardian: Ref[Guardian]
    """Id of the guardian it went to."""
    student: Ref[Student]
    """Id of the student it is about."""
    subject: str
    """Subject line."""
    body: str
    """Text."""
    sent: AwareDatetime
    """When it was sent."""


class Concern(Row):
    """A worry about a student's safety."""

    private = ("kind", "description")
    person = "student@students"

    student: Ref[Student]
    """Id of the student."""
    kind: ConcernKind = "other"
    """What it is about."""
    description: str
    """What was seen or said."""
    urgency: Literal["routine", "today", "immediate"] = "today"
    """How soon someone must act."""
    reported: AwareDatetime
    """When it was reported."""
    reported_by: str = ""
    """Who reported it."""
    assigned_to: Ref[Staff] = ""
    """Id of the safeguarding lead it went to."""
    status: Literal["open", "closed"] = "open"
    """Whether anyone still has to act."""


class Extension(Row):
    """More time for one student's assignment."""

    private = ("reason",)
    person = "student@students"

    assignment: Ref[Assignment]
    """Id of the assignment."""
    student: Ref[Student]
    """Id of the student."""
    until: date
    """The new last day."""
    reason: str
    """Why."""
    granted_by: Ref[Staff]
    """Id of the member of staff who granted it."""
