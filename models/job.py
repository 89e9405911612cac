"""The fire ledger: which slot of which job has run."""

from datetime import datetime

from sqlmodel import Column, Field, SQLModel

from models.base import Moment


class JobRun(SQLModel, table=True):
    """One row per job and slot, written in the transaction of the job's effects: it makes a slot run once."""

    __tablename__ = "job_run"

    job: str = Field(primary_key=True)
    slot: str = Field(primary_key=True)
    at: datetime = Field(sa_column=Column(Moment, nullable=False))
    process: str
