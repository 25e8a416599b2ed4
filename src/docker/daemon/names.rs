//! Names for containers that got none: an adjective and the surname of a notable scientist or hacker, as Docker's
//! (moby `pkg/namesgenerator`; a selection of its words).

use crate::base::rng::Rng;

const LEFT: &str = "admiring adoring affectionate agitated amazing angry awesome beautiful blissful bold boring brave busy \
charming clever compassionate competent condescending confident cool cranky crazy dazzling determined distracted dreamy \
eager ecstatic elastic elated elegant eloquent epic exciting fervent festive flamboyant focused friendly frosty funny \
gallant gifted goofy gracious great happy hardcore heuristic hopeful hungry infallible inspiring intelligent interesting \
jolly jovial keen kind laughing loving lucid magical modest musing mystifying naughty nervous nice nifty nostalgic \
objective optimistic peaceful pedantic pensive practical priceless quirky quizzical recursing relaxed reverent romantic \
sad serene sharp silly sleepy stoic strange stupefied suspicious sweet tender thirsty trusting unruffled upbeat vibrant \
vigilant vigorous wizardly wonderful xenodochial youthful zealous zen";

const RIGHT: &str = "agnesi albattani allen almeida archimedes ardinghelli aryabhata austin babbage banach bardeen bartik \
bassi bell benz bhabha bhaskara blackwell bohr booth borg bose boyd brahmagupta brattain brown buck burnell cannon carson \
cartwright cerf chandrasekhar chatelet clarke colden cori cray curie darwin davinci dijkstra dubinsky easley edison \
einstein elion engelbart euclid euler fermat fermi feynman franklin galileo galois gates gauss germain goldberg goldstine \
goodall hamilton haslett hawking heisenberg herschel hertz hodgkin hopper hugle hypatia jackson jang jemison jepsen \
johnson joliot jones kalam kare keller kepler khorana kilby kirch knuth lalande lamarr lamport leakey leavitt lederberg \
lehmann lewin lichterman liskov lovelace lumiere mahavira margulis maxwell mayer mccarthy mcclintock mclean mcnulty \
meitner mendel mendeleev meninsky mestorf mirzakhani moore morse moser murdock neumann newton nightingale nobel noether \
northcutt noyce panini pare pascal pasteur payne perlman pike poincare poitras proskuriakova ptolemy raman ramanujan \
rhodes ride ritchie robinson roentgen rosalind rubin saha sammet sanderson satoshi shannon shaw shirley shockley shtern \
sinoussi snyder solomon spence stonebraker sutherland swanson swartz swirles taussig tesla tharp thompson torvalds turing \
varahamihira vaughan villani visvesvaraya volhard wescoff wilbur wiles williams williamson wilson wing wozniak wright \
wu yalow yonath zhukovsky";

/// A name; from the second attempt on with a digit, as Docker does when the first is taken.
pub fn random_name(rng: &mut Rng, attempt: u32) -> String {
    let mut pick = |words: &str| {
        let count = words.split_whitespace().count() as u64;
        let at = usize::try_from(rng.below(count)).unwrap_or(0);
        words.split_whitespace().nth(at).unwrap_or("nameless").to_owned()
    };
    let (mut left, mut right) = (pick(LEFT), pick(RIGHT));
    // Steve Wozniak is not boring.
    if left == "boring" && right == "wozniak" {
        (left, right) = ("brave".to_owned(), "wozniak".to_owned());
    }
    let digit = if attempt == 0 { String::new() } else { rng.below(10).to_string() };
    format!("{left}_{right}{digit}")
}

/// `[a-zA-Z0-9][a-zA-Z0-9_.-]+` (moby `daemon/names`).
pub fn is_restricted_name(name: &str) -> bool {
    name.len() >= 2
        && name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-'))
}
