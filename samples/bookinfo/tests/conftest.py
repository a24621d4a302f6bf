import pytest

import shop


def pytest_configure():
    if not shop.BINARY.exists():
        pytest.exit(f"there is no {shop.BINARY}: build the target `bookinfo`, or set WEFT_BUILD", returncode=2)


class Starter:
    """Starts services and stand-ins and stops them all at the end."""

    def __init__(self):
        self.started = []

    def service(self, kind, *arguments, **options):
        self.started.append(shop.Service(kind, *arguments, **options))
        return self.started[-1]

    def stand_in(self, *replies, **options):
        self.started.append(shop.StandIn(*replies, **options))
        return self.started[-1]

    def stop(self):
        codes = [one.stop() for one in reversed(self.started)]
        assert not any(codes), f"a service did not end well: {codes}"


@pytest.fixture
def start():
    starter = Starter()
    yield starter
    starter.stop()


class Shop:
    """The four real services, with reviews in its three versions and one productpage before each."""

    def __init__(self, start):
        self.details = start.service("details")
        self.ratings = start.service("ratings")
        versions = {"v1": {}, "v2": {"ENABLE_RATINGS": "true"}, "v3": {"ENABLE_RATINGS": "TRUE", "STAR_COLOR": "red"}}
        self.reviews = {name: start.service("reviews", HOSTNAME=f"reviews-{name}-pod", **shop.at(ratings=self.ratings),
                                            **environment) for name, environment in versions.items()}
        self.pages = {name: start.service("productpage", **shop.at(details=self.details, reviews=reviews,
                                                                   ratings=self.ratings))
                      for name, reviews in self.reviews.items()}
        self.page = self.pages["v3"]


@pytest.fixture(scope="session")
def bookshop():
    starter = Starter()
    yield Shop(starter)
    starter.stop()


@pytest.fixture
def page_before(start):
    """Starts a productpage before the given details, reviews and ratings; good stand-ins take the missing places."""
    def make(environment=None, **places):
        good = {"details": shop.BOOK, "reviews": shop.REVIEWS, "ratings": shop.RATINGS}
        for name, body in good.items():
            if name not in places:
                places[name] = start.stand_in((200, body))
        made = start.service("productpage", **{**shop.at(**places), **(environment or {})})
        made.places = places
        return made
    return make
